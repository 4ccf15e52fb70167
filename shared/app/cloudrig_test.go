package app_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"kefu/shared/adapter/dynamo"
	"kefu/shared/adapter/kms"
	"kefu/shared/app"
	"kefu/shared/porttest"
)

// local is a configuration for an engine on this machine.
func local(address string) aws.Config {
	return aws.Config{
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""), BaseEndpoint: &address,
	}
}

// openDynamo makes a store with a table of the test's own.
func openDynamo(t *testing.T, now func() time.Time) app.Store {
	t.Helper()
	return newTable(t, now)
}

func newTable(t *testing.T, now func() time.Time) *dynamo.Store {
	t.Helper()
	return makeTable(t, dynamo.Options{Table: "app-" + rand.Text(), Vault: kms.Static([32]byte{1}), Now: now})
}

// makeTable makes a table that goes with the test.
func makeTable(t *testing.T, o dynamo.Options) *dynamo.Store {
	t.Helper()
	conf := local(porttest.Emulator(t, "dynamodb"))
	s := dynamo.New(conf, o)
	if err := s.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := dynamodb.NewFromConfig(conf).DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &o.Table}); err != nil {
			t.Errorf("delete the table: %v", err)
		}
	})
	return s
}

// TestInCloud plays the scenarios of the embedded engine on DynamoDB, SQS and S3. Those that set the clock to see a
// queue's delay pass are not among them: these queues have a clock of their own.
func TestInCloud(t *testing.T) {
	t.Parallel()
	porttest.Emulator(t, "dynamodb")
	t.Cleanup(func() { checkUses(t) }) // the scenarios are over then
	// The rig's queues hand over whole bodies; Lambda hands over the pointer.
	seenUses.add("ingest", "s3:GetObject", "queue/")
	// No scenario gives a message back.
	for function, queue := range map[string]string{"ingest": "inbound", "router": "route", "sender": "outbound", "webhook": "hooks"} {
		seenUses.add(function, "sqs:ChangeMessageVisibility", queue)
	}
	for name, play := range map[string]func(*testing.T){
		"every mode and format": TestEveryModeAndFormat, "held until the customer writes": TestHeldUntilTheCustomerWrites,
		"holds go out in the next session": TestHoldsGoOutInTheNextSession, "duplicates": TestDuplicates,
		"replay days later": TestReplayDaysLater, "expiry": TestExpiry, "cancel": TestCancel, "long text": TestLongText,
		"corrected once": TestCorrectedOnce, "tokens": TestTokens, "media": TestMedia, "typing": TestTyping,
		"official types": TestOfficialTypes, "automatic assignment": TestAutomaticAssignment, "many at once": TestManyAtOnce,
		"lost wake-ups": TestLostWakeUps, "forged pushes": TestForgedPushes, "unreadable push": TestUnreadablePush,
		"unknown type": TestUnknownTypeIsShownAsItCame, "keys live a day": TestKeysLiveADay,
		"nobody keeps a seat for nothing": TestNobodyKeepsASeatForNothing, "files end": TestFilesEnd, "agents go": TestAgentsGo,
		"bot and hand-off": TestBotAndHandOff, "switch of the hand-off": TestSwitchOfTheHandOff,
		"transfer to the platform's tool": TestTransferToTheTool, "content check": TestContentCheck, "responder": TestResponder,
		"merged texts": TestMergedTexts,
		"large push":   TestLargePush, "webhooks of a conversation": TestWebhooksOfAConversation,
		"webhooks in order": TestWebhooksInOrder, "dead webhooks": TestDeadWebhooks,
		"an app id is nobody's secret":             TestAnAppIDIsNobodysSecret,
		"an app id is free after its last account": TestAnAppIDIsFreeAfterItsLastAccount,
		"an id that another tenant takes":          TestAnIDThatAnotherTenantTakes,
		"an account made again":                    TestAnAccountMadeAgain, "the minute after": TestTheMinuteAfter,
		"a deleted id is kept": TestADeletedIDIsKept,
	} {
		t.Run(name, play)
	}
}

// inCloud puts a rig on DynamoDB and SQS, with a table and queues of its own. The clock is the test's; the queues' own
// delays pass in real time.
func inCloud(t *testing.T) func(*app.Config) {
	t.Helper()
	name := "app-" + rand.Text()
	c := app.Cloud{
		Table: name, Bucket: strings.ToLower(name), Region: "us-east-1", KeyID: "test", SecretKey: "test",
		DynamoDBURL: porttest.Emulator(t, "dynamodb"), SQSURL: porttest.Emulator(t, "sqs"), S3URL: porttest.Emulator(t, "s3"),
	}
	makeTable(t, dynamo.Options{Table: name})
	c.Inbound, c.Route, c.Outbound = newQueue(t, c.SQSURL, name+"-inbound.fifo"), newQueue(t, c.SQSURL, name+"-route"), newQueue(t, c.SQSURL, name+"-outbound")
	c.Hooks = newQueue(t, c.SQSURL, name+"-hooks.fifo")
	makeBucket(t, c.S3URL+"/"+c.Bucket)
	return func(config *app.Config) {
		config.Engine, config.Cloud = app.AWS, c
		config.SecretKey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	}
}

func newQueue(t *testing.T, address, name string) string {
	t.Helper()
	in := &sqs.CreateQueueInput{QueueName: &name, Attributes: map[string]string{"VisibilityTimeout": "60"}}
	if strings.HasSuffix(name, ".fifo") {
		in.Attributes["FifoQueue"] = "true"
	}
	out, err := sqs.NewFromConfig(local(address)).CreateQueue(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.QueueUrl)
}

func makeBucket(t *testing.T, url string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("make a bucket: %s, %v", resp.Status, err)
	}
}
