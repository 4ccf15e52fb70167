package dynamo

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
)

// scan reads all items of a test's own table.
func scan(t testing.TB, s *Store) (items []item) {
	t.Helper()
	pages := dynamodb.NewScanPaginator(s.db, &dynamodb.ScanInput{TableName: s.table})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		must(t, err)
		items = append(items, page.Items...)
	}
	return items
}

// readable is all that can be read in an attribute without a key: texts, numbers, bytes, and bodies unpacked.
func readable(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberB:
		var body json.RawMessage
		tail, err := unpackBoth("", v.Value, &body)
		if err == nil {
			return string(body) + string(tail)
		}
		return string(v.Value)
	case *types.AttributeValueMemberM:
		var all strings.Builder
		for name, v := range v.Value {
			all.WriteString(name + readable(v))
		}
		return all.String()
	}
	return readText(v) + fmt.Sprint(readNumber(v))
}

// openVault seals nothing: what the scan must find.
type openVault struct{}

func (openVault) Seal(_ context.Context, _ string, plain []byte) ([]byte, error) { return plain, nil }

func (openVault) Open(_ context.Context, _ string, sealed []byte) ([]byte, error) { return sealed, nil }

// leaks stores secrets, twice, and tells those that can be read in the table.
func leaks(t *testing.T, s *Store) (found []string) {
	t.Helper()
	ctx := t.Context()
	a := anAccount("t", "shop")
	a.Signing = account.Signing{Secret: "a-signing-secret", Previous: "an-old-signing-secret"}
	tok := account.AccessToken{Value: "an-access-token", ExpiresAt: start}
	for range 2 {
		_, err := s.PutAccount(ctx, a)
		must(t, err)
		must(t, s.SetWebhook(ctx, a.ID, account.Webhook{URL: "https://shop.example"}, a.Signing))
		by, err := a.Credential()
		must(t, err)
		must(t, s.LeaseToken(ctx, by, start, start))
		must(t, s.SaveToken(ctx, by, tok))
	}
	var all strings.Builder
	for _, it := range scan(t, s) {
		for name, v := range it {
			all.WriteString(name + "=" + readable(v) + "\n")
		}
	}
	for _, secret := range []account.Secret{
		a.Token, a.AESKey, a.AESKeyPrevious, a.AppSecret, a.Signing.Secret, a.Signing.Previous, tok.Value,
	} {
		plain := secret.Reveal()
		if strings.Contains(all.String(), plain) || strings.Contains(all.String(), base64.StdEncoding.EncodeToString([]byte(plain))) {
			found = append(found, plain)
		}
	}
	return found
}

func TestSecretsAreSealed(t *testing.T) {
	t.Parallel()
	if found := leaks(t, newStore(t)); len(found) != 0 {
		t.Errorf("got %q readable in the table; want none", found)
	}
	s := newStore(t)
	s.vault = openVault{}
	if found := leaks(t, s); len(found) != 7 {
		t.Errorf("without sealing: got %q; want all seven, or this test finds nothing", found)
	}
}

// TestSecretsBelongToTheirOwner copies one account's sealed secrets to another.
func TestSecretsBelongToTheirOwner(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	for _, id := range []account.ID{"shop", "thief"} {
		_, err := s.PutAccount(t.Context(), anAccount("t", id))
		must(t, err)
	}
	from, err := s.get(t.Context(), accountKey("shop"), true)
	must(t, err)
	to, err := s.get(t.Context(), accountKey("thief"), true)
	must(t, err)
	own := to[attrSealed]
	to[attrSealed] = from[attrSealed]
	_, _, err = s.put(t.Context(), to, condition{})
	must(t, err)
	_, err = s.Account(t.Context(), "thief")
	wantKind(t, "Account", err, fault.Internal, "")

	must(t, s.SetWebhook(t.Context(), "shop", account.Webhook{}, account.Signing{Secret: "a-signing-secret"}))
	from, err = s.get(t.Context(), accountKey("shop"), true)
	must(t, err)
	to[attrSealed], to[attrSigning] = own, from[attrSigning]
	_, _, err = s.put(t.Context(), to, condition{})
	must(t, err)
	_, err = s.Account(t.Context(), "thief")
	wantKind(t, "Account with another's signing secrets", err, fault.Internal, "")
}

// TestWithoutVault: what needs no secret works, what does names the setting.
func TestWithoutVault(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	ctx := t.Context()
	_, err := s.PutAccount(ctx, anAccount("t", "shop"))
	must(t, err)
	must(t, s.SetWebhook(ctx, "shop", account.Webhook{URL: "https://shop.example"}, account.Signing{Secret: "s"}))
	must(t, s.SaveToken(ctx, ofApp("wx1"), account.AccessToken{Value: "v"}))

	bare := newStore(t, onTable(s))
	bare.vault = nil
	a, err := bare.Account(ctx, "shop")
	must(t, err)
	if a.AppID == "" || a.Token != "" || a.AESKey != "" || a.AESKeyPrevious != "" || a.AppSecret != "" ||
		a.Webhook.URL == "" || a.Signing.Secret != "" {
		t.Errorf("got app id %q, webhook %q and secrets %v; want the two and not the others", a.AppID, a.Webhook.URL, a.Token != "")
	}
	must(t, bare.SetRouting(ctx, "shop", account.Routing{}))
	_, putErr := bare.PutAccount(ctx, anAccount("t", "shop"))
	_, tokenErr := bare.Token(ctx, ofApp("wx1"))
	for what, err := range map[string]error{
		"PutAccount": putErr, "SetWebhook": bare.SetWebhook(ctx, "shop", account.Webhook{}, account.Signing{Secret: "s"}),
		"Token": tokenErr, "SaveToken": bare.SaveToken(ctx, ofApp("wx1"), account.AccessToken{Value: "w"}),
	} {
		wantKind(t, what, err, fault.Unavailable, "store-setting")
		if !strings.Contains(err.Error(), "KEFU_KMS_KEY") {
			t.Errorf("%s: got %q; want it to name KEFU_KMS_KEY", what, err)
		}
	}
	_, err = bare.Token(ctx, ofApp("wx2"))
	wantKind(t, "Token that isn't there", err, fault.NotFound, "")
}
