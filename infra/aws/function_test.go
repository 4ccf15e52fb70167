package aws

import (
	"fmt"
	"maps"
	"slices"
)

// function is one function as it must be deployed.
type function struct {
	name    string // in serverless.yml
	id      string // what its resources begin with
	timeout int    // seconds
	queue   string // what the queue that it consumes begins with
	batch   int    // messages
}

var functions = []function{
	{name: "callback", id: "Callback", timeout: 10},
	{name: "ingest", id: "Ingest", timeout: 30, queue: "Inbound", batch: 1},
	{name: "router", id: "Router", timeout: 30, queue: "Route", batch: 10},
	{name: "sender", id: "Sender", timeout: 120, queue: "Outbound", batch: 10},
	{name: "webhook", id: "Webhook", timeout: 30, queue: "Hooks", batch: 1},
	{name: "expiry", id: "Expiry", timeout: 120},
	{name: "api", id: "Api", timeout: 29},
}

func (f function) path() string { return "Resources." + f.id + "LambdaFunction" }

func functionRules(d deployment) []rule {
	return []rule{
		functionsRule(d), environment(), mappings(d), logGroups(d),
		facts("schedule", object{
			"Resources.ExpiryEventsRuleSchedule1.Properties.ScheduleExpression":           "rate(1 minute)",
			"Resources.ExpiryEventsRuleSchedule1.Properties.State":                        "ENABLED",
			"Resources.ExpiryEventsRuleSchedule1.Properties.Targets.0.Arn":                arn("ExpiryLambdaFunction"),
			"Resources.ExpiryLambdaPermissionEventsRuleSchedule1.Properties.Principal":    "events.amazonaws.com",
			"Resources.ExpiryLambdaPermissionEventsRuleSchedule1.Properties.SourceArn":    arn("ExpiryEventsRuleSchedule1"),
			"Resources.ExpiryLambdaPermissionEventsRuleSchedule1.Properties.FunctionName": arn("ExpiryLambdaFunction"),
		}),
	}
}

// functionsRule: seven functions, on arm64, and nothing in them that a handler doesn't need.
func functionsRule(d deployment) rule {
	want := object{}
	var ids []string
	for _, f := range functions {
		ids = append(ids, f.id+"LambdaFunction")
		maps.Copy(want, object{
			f.path() + ".Properties.FunctionName":      "kefu-" + d.stage + "-" + f.name,
			f.path() + ".Properties.Runtime":           "provided.al2023",
			f.path() + ".Properties.Architectures":     []string{"arm64"},
			f.path() + ".Properties.Handler":           "bootstrap",
			f.path() + ".Properties.Timeout":           f.timeout,
			f.path() + ".Properties.MemorySize":        256,
			f.path() + ".Properties.Role":              arn(f.id + "Role"),
			f.path() + ".Properties.Layers":            nil,
			f.path() + ".Properties.TracingConfig":     nil, // no X-Ray: China has none
			f.path() + ".Properties.VpcConfig":         nil,
			f.path() + ".Properties.SnapStart":         nil,
			f.path() + ".Properties.FileSystemConfigs": nil,
		})
	}
	for _, id := range []string{"Router", "Sender"} {
		// They call themselves through their queues, longer than Lambda would let them.
		want["Resources."+id+"LambdaFunction.Properties.RecursiveLoop"] = object{"Fn::If": []any{"InChina", ref("AWS::NoValue"), "Allow"}}
	}
	return and(facts("functions", want), only("functions", "AWS::Lambda::Function", ids...))
}

// environment: the settings of each function. A queue or the key is among them where the role opens it, and nowhere
// else: a function that has the key tries to open secrets. No secret is among them anywhere.
func environment() rule {
	opened := map[string]object{
		"InboundQueue":  {"KEFU_QUEUE_INBOUND": ref("InboundQueue")},
		"RouteQueue":    {"KEFU_QUEUE_ROUTE": ref("RouteQueue")},
		"OutboundQueue": {"KEFU_QUEUE_OUTBOUND": ref("OutboundQueue")},
		"HooksQueue":    {"KEFU_QUEUE_HOOKS": ref("HooksQueue")},
		"SecretsKey":    {"KEFU_KMS_KEY": arn("SecretsKey")},
	}
	want := object{}
	for _, f := range functions {
		variables := object{
			"KEFU_ENGINE":     "aws",
			"KEFU_TABLE":      ref("Table"),
			"KEFU_BUCKET":     ref("Bucket"),
			"KEFU_WECHAT_URL": "https://api.weixin.qq.com",
			"KEFU_LOG_LEVEL":  "info",
		}
		for thing := range grants[f.id] {
			maps.Copy(variables, opened[thing])
		}
		if f.name == "api" {
			variables["KEFU_ADMIN_KEY_SHA256"] = adminHash
		}
		want[f.path()+".Properties.Environment.Variables"] = variables
	}
	r := facts("environment", want)
	r.faults = append(
		r.faults,
		with("Resources.ApiLambdaFunction.Properties.Environment.Variables.KEFU_ADMIN_KEY", "the key itself"),
		with("Resources.SenderLambdaFunction.Properties.Environment.Variables.KEFU_ADMIN_KEY_SHA256", adminHash),
		with("Resources.ExpiryLambdaFunction.Properties.Environment.Variables.KEFU_KMS_KEY", arn("SecretsKey")),
		// Whoever may set up an account could look into the network then.
		with("Resources.WebhookLambdaFunction.Properties.Environment.Variables.KEFU_PRIVATE_HOOKS", "true"),
	)
	return r
}

// mappings: which function takes messages from which queue, and that it tells which of a batch have failed.
func mappings(d deployment) rule {
	want := object{}
	var ids []string
	for _, f := range functions {
		if f.queue == "" {
			continue
		}
		id := fmt.Sprintf("%sEventSourceMappingSQS%sQueue", f.id, f.queue)
		ids = append(ids, id)
		path := "Resources." + id + ".Properties"
		maps.Copy(want, object{
			path + ".EventSourceArn":          arn(f.queue + "Queue"),
			path + ".FunctionName":            arn(f.id + "LambdaFunction"),
			path + ".BatchSize":               f.batch,
			path + ".Enabled":                 true,
			path + ".FunctionResponseTypes":   []string{"ReportBatchItemFailures"},
			path + ".ProvisionedPollerConfig": nil, // China has none
			path + ".FilterCriteria":          nil, // what it leaves out is deleted
			path + ".ScalingConfig":           nil,
		})
		most := d.most
		if most == nil && f.name == "webhook" {
			most = 50 // a receiver that hangs must not use up the account's concurrency
		}
		if most != nil && f.name != "router" {
			want[path+".ScalingConfig"] = object{"MaximumConcurrency": most}
		}
	}
	return and(facts("mappings", want), only("mappings", "AWS::Lambda::EventSourceMapping", ids...))
}

// logGroups: every function's log, and the gateway's, ends after the stage's time.
func logGroups(d deployment) rule {
	want := object{
		"Resources.HttpApiLogGroup.Properties.LogGroupName":    "/aws/http-api/kefu-" + d.stage,
		"Resources.HttpApiLogGroup.Properties.RetentionInDays": d.logDays,
	}
	ids := []string{"HttpApiLogGroup"}
	for _, f := range functions {
		id := f.id + "LogGroup"
		ids = append(ids, id)
		want["Resources."+id+".Properties.LogGroupName"] = "/aws/lambda/kefu-" + d.stage + "-" + f.name
		want["Resources."+id+".Properties.RetentionInDays"] = d.logDays
	}
	r := facts("log retention", want)
	return and(r, rule{
		check: func(t template) []string {
			var found []string
			for _, id := range t.ofType("AWS::Logs::LogGroup") {
				if !slices.Contains(ids, id) {
					found = append(found, id+" belongs to nobody")
				}
			}
			return found
		},
		faults: []fault{with("Resources.Another", object{"Type": "AWS::Logs::LogGroup"})},
	})
}
