package aws

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"kefu/shared/adapter/dynamo"
)

// What the functions share of their rights.
var (
	consume = []string{"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}
	write   = []string{"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"}
	change  = append([]string{"dynamodb:BatchGetItem"}, write...)
	query   = []string{"dynamodb:Query"}
	send    = []string{"sqs:SendMessage"}
	both    = append(slices.Clone(consume), send...)
	seal    = []string{"kms:Decrypt", "kms:GenerateDataKey"}
	bodies  = []string{"s3:GetObject", "s3:PutObject"}
	exists  = []string{"s3:ListBucket"}
)

// grants are all rights of all functions: by function, by thing, the actions in order. The transactions that they make
// need the rights to the single writes.
var grants = map[string]map[string][]string{
	"Callback": {
		"Table": {"dynamodb:GetItem", "dynamodb:UpdateItem"}, "SecretsKey": {"kms:Decrypt"}, "InboundQueue": send, "Bucket/queue/*": {"s3:PutObject"},
	},
	"Ingest": {
		"Table": write, "Table/index/*": query, "InboundQueue": consume, "RouteQueue": send, "OutboundQueue": send, "HooksQueue": send,
		"Bucket/queue/*": {"s3:GetObject"}, "Bucket/spill/*": bodies, "Bucket": exists,
	},
	"Router": {
		"Table": change, "Table/index/*": query, "SecretsKey": {"kms:Decrypt"}, "RouteQueue": both, "OutboundQueue": send, "HooksQueue": send,
		"Bucket/spill/*": bodies, "Bucket": exists,
	},
	"Sender": {
		"Table": change, "Table/index/*": query, "SecretsKey": seal, "RouteQueue": send, "OutboundQueue": both, "HooksQueue": send,
		"Bucket/media/*": bodies, "Bucket/spill/*": bodies, "Bucket": exists,
	},
	"Webhook": {
		"Table": {"dynamodb:GetItem", "dynamodb:PutItem"}, "SecretsKey": {"kms:Decrypt"}, "HooksQueue": consume,
		"Bucket/spill/*": bodies, "Bucket": exists,
	},
	// Nobody else deletes a file.
	"Expiry": {
		"Table": change, "Table/index/*": query, "RouteQueue": send, "OutboundQueue": send, "HooksQueue": send,
		"Bucket/media/*": {"s3:DeleteObject"}, "Bucket/spill/*": bodies, "Bucket": exists,
	},
	"Api": {
		"Table": change, "Table/index/*": query, "SecretsKey": seal, "RouteQueue": send, "OutboundQueue": send, "HooksQueue": send,
		"Bucket/media/*": bodies, "Bucket/spill/*": bodies, "Bucket": exists,
	},
}

func roleRules(d deployment) []rule {
	want := object{}
	var ids []string
	for _, f := range functions {
		ids = append(ids, f.id+"Role")
		path := "Resources." + f.id + "Role.Properties"
		maps.Copy(want, object{
			path + ".RoleName": "kefu-" + d.stage + "-" + d.region() + "-" + f.name,
			path + ".AssumeRolePolicyDocument.Statement": []object{
				{"Effect": "Allow", "Principal": object{"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
			},
			path + ".ManagedPolicyArns": nil,
		})
	}
	return []rule{and(facts("roles", want), only("roles", "AWS::IAM::Role", ids...)), grantsRule(), narrow()}
}

// grantsRule: a role may do what grants says, and write its own log.
func grantsRule() rule {
	const sender = "Resources.SenderRole.Properties.Policies.0.PolicyDocument.Statement"
	return rule{
		name: "grants",
		check: func(t template) []string {
			var found []string
			for _, f := range functions {
				want := maps.Clone(grants[f.id])
				want[f.id+"LogGroup"] = []string{"logs:CreateLogStream", "logs:PutLogEvents"}
				if got := rights(t, f.id+"Role"); text(got) != text(want) {
					found = append(found, fmt.Sprintf("%sRole: got %s, want %s", f.id, text(got), text(want)))
				}
				for _, s := range statements(t, f.id+"Role") {
					if got, want := child(s, "Condition"), condition(f.id, s); text(got) != text(want) {
						found = append(found, fmt.Sprintf("%sRole, %s: got condition %s, want %s", f.id, text(child(s, "Action")), text(got), text(want)))
					}
				}
			}
			return found
		},
		faults: []fault{
			with(sender+".0.Action", "logs:PutLogEvents"),
			with("Resources.CallbackRole.Properties.Policies.0.PolicyDocument.Statement.2.Condition", nil),
			with(sender+".0.Resource", arn("ApiLogGroup")),
			with(sender+".1.Action.0", "dynamodb:Scan"),
			with(sender+".1.Effect", "Deny"),
			with(sender+".1.Condition", object{"Bool": object{"aws:MultiFactorAuthPresent": true}}),
			with("Resources.RouterRole.Properties.Policies.0.PolicyDocument.Statement.7.Condition", nil),
			with("Resources.RouterRole.Properties.Policies.0.PolicyDocument.Statement.7.Condition.StringLikeIfExists.s3:prefix", []string{"*"}),
			with("Resources.WebhookRole.Properties.Policies.0.PolicyDocument.Statement.3.Resource", arn("OutboundQueue")),
			with("Resources.ExpiryRole.Properties.Policies.0.PolicyDocument.Statement.2", object{
				"Effect": "Allow", "Action": "kms:Decrypt", "Resource": arn("SecretsKey"),
			}),
		},
	}
}

// condition gives what a statement must be conditional on: a role may ask only in the folders that it reads what there
// is. Reading one object asks without naming a folder. The function that faces the internet may write nothing but what
// it has seen of the platform's pushes.
func condition(id string, statement any) any {
	if id == "Callback" && child(statement, "Action") == "dynamodb:UpdateItem" {
		return object{"ForAllValues:StringLike": object{"dynamodb:LeadingKeys": []string{dynamo.SightingPartition + "*"}}}
	}
	if child(statement, "Action") != exists[0] {
		return nil
	}
	var folders []string
	for name, actions := range grants[id] {
		if folder, ok := strings.CutPrefix(name, "Bucket/"); ok && slices.Contains(actions, "s3:GetObject") {
			folders = append(folders, folder)
		}
	}
	slices.Sort(folders)
	return object{"StringLikeIfExists": object{"s3:prefix": folders}}
}

// rights reads a role's policies: by thing, the actions in order.
func rights(t template, role string) map[string][]string {
	found := map[string][]string{}
	for _, s := range statements(t, role) {
		if child(s, "Effect") != "Allow" {
			continue
		}
		for _, resource := range list(child(s, "Resource")) {
			name := thing(resource)
			for _, action := range list(child(s, "Action")) {
				found[name] = append(found[name], fmt.Sprint(action))
			}
			slices.Sort(found[name])
		}
	}
	return found
}

// statements gives all statements of all of a role's policies.
func statements(t template, role string) []any {
	var all []any
	for _, policy := range t.list("Resources." + role + ".Properties.Policies") {
		all = append(all, list(child(child(policy, "PolicyDocument"), "Statement"))...)
	}
	return all
}

// thing names what a resource of a policy stands for: "Table", "Table/index/*". What it can't name it gives as JSON.
func thing(resource any) string {
	if get := list(child(resource, "Fn::GetAtt")); len(get) == 2 && get[1] == "Arn" {
		return fmt.Sprint(get[0])
	}
	if pattern, ok := child(resource, "Fn::Sub").(string); ok {
		if rest, ok := strings.CutPrefix(pattern, "${"); ok {
			return strings.Replace(rest, ".Arn}", "", 1)
		}
	}
	return text(resource)
}

// narrow: whatever the roles may do, it is a named action on a named thing. It says again what grants says, for the day
// when somebody widens grants.
func narrow() rule {
	const api = "Resources.ApiRole.Properties.Policies.0.PolicyDocument.Statement"
	return rule{
		name: "no wildcards",
		check: func(t template) []string {
			var found []string
			for _, role := range t.ofType("AWS::IAM::Role") {
				for _, s := range statements(t, role) {
					found = append(found, wide(role, s)...)
				}
			}
			return found
		},
		faults: []fault{
			with(api+".1.Action", "*", "grants"),
			with(api+".1.Action", "dynamodb:*", "grants"),
			with(api+".1.Action", "dynamodb:Put*", "grants"),
			with(api+".1.Resource", "*", "grants"),
			with(api+".1.Resource", sub("arn:${AWS::Partition}:dynamodb:*:*:table/*"), "grants"),
			with(api+".5.Resource", sub("${Bucket.Arn}/*"), "grants"),
			{
				name: "everything but",
				make: func(tb testing.TB, t template) {
					t.set(tb, api+".1.NotAction", t.at(api+".1.Action"))
					t.set(tb, api+".1.Action", nil)
				},
				also: []string{"grants"},
			},
		},
	}
}

// wide gives what of a statement has no name. Of a table's indexes and a bucket's folders all may be meant.
func wide(role string, statement any) []string {
	var found []string
	for _, not := range []string{"NotAction", "NotResource"} {
		if child(statement, not) != nil {
			found = append(found, role+" has a "+not)
		}
	}
	for _, action := range list(child(statement, "Action")) {
		if strings.ContainsAny(fmt.Sprint(action), "*?") {
			found = append(found, fmt.Sprintf("%s may do %v", role, action))
		}
	}
	for _, resource := range list(child(statement, "Resource")) {
		name := thing(resource)
		if name = strings.TrimSuffix(name, "/index/*"); strings.Count(name, "/") == 2 {
			name = strings.TrimSuffix(name, "/*")
		}
		if strings.ContainsAny(name, "*?") {
			found = append(found, fmt.Sprintf("%s may touch %s", role, text(resource)))
		}
	}
	return found
}
