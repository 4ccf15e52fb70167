package aws

import (
	"fmt"
	"maps"
	"slices"
)

const (
	maxRetention = 14 * 24 * 3600 // seconds: the most that SQS keeps a message
	minReceives  = 5              // deliveries before a message is dead: fewer, and a short outage kills it
	minTellings  = 40             // the same of HooksQueue: fewer, and a receiver that is down for a day kills it
)

// queues are the queues of the design, and whether they keep order.
var queues = map[string]bool{"Inbound": true, "Route": false, "Outbound": false, "Hooks": true}

func queueRules(d deployment) []rule {
	names := map[string]string{
		"InboundQueue": "inbound.fifo", "InboundDeadQueue": "inbound-dead.fifo", "RouteQueue": "route",
		"RouteDeadQueue": "route-dead", "OutboundQueue": "outbound", "OutboundDeadQueue": "outbound-dead",
		"HooksQueue": "hooks.fifo", "HooksDeadQueue": "hooks-dead.fifo",
	}
	want := object{}
	for name, ordered := range queues {
		if ordered {
			path := "Resources." + name + "Queue.Properties."
			want[path+"ContentBasedDeduplication"] = false
			want[path+"DeduplicationScope"] = "messageGroup"
			want[path+"FifoThroughputLimit"] = "perMessageGroupId"
		}
	}
	for id, name := range names {
		want["Resources."+id+".Properties.QueueName"] = "kefu-" + d.stage + "-" + name
		want["Resources."+id+".Properties.SqsManagedSseEnabled"] = true
	}
	ids := slices.Sorted(maps.Keys(names))
	return []rule{
		and(facts("queues", want), only("queues", "AWS::SQS::Queue", ids...)),
		deadLetters(), visibility(), queueConnections(ids),
	}
}

// deadLetters: what fails ends in a queue of the same kind that keeps it as long as can be; and what works off slowly is
// not lost before.
func deadLetters() rule {
	return rule{
		name: "dead letters",
		check: func(t template) []string {
			var found []string
			for _, name := range slices.Sorted(maps.Keys(queues)) {
				live, dead := "Resources."+name+"Queue.Properties", "Resources."+name+"DeadQueue.Properties"
				for _, path := range []string{live, dead} {
					if fifo, _ := t.at(path + ".FifoQueue").(bool); fifo != queues[name] {
						found = append(found, fmt.Sprintf("%s.FifoQueue: got %t, want %t", path, fifo, queues[name]))
					}
				}
				if got, want := t.at(live+".RedrivePolicy.deadLetterTargetArn"), arn(name+"DeadQueue"); text(got) != text(want) {
					found = append(found, fmt.Sprintf("%s: got dead letters in %s, want %s", live, text(got), text(want)))
				}
				receives := minReceives
				if name == "Hooks" {
					receives = minTellings
				}
				if n := t.number(live + ".RedrivePolicy.maxReceiveCount"); n < receives {
					found = append(found, fmt.Sprintf("%s: got dead after %d deliveries, want %d at least", live, n, receives))
				}
				if n := t.number(dead + ".MessageRetentionPeriod"); n != maxRetention {
					found = append(found, fmt.Sprintf("%s: got kept for %d s, want %d", dead, n, maxRetention))
				}
				least := maxRetention // a push comes only once, and so do news …
				if !queues[name] {
					least = 4 * 24 * 3600 // … but the sweep repeats a wake-up
				}
				if n := t.number(live + ".MessageRetentionPeriod"); n < least {
					found = append(found, fmt.Sprintf("%s: got kept for %d s, want %d at least", live, n, least))
				}
			}
			return found
		},
		faults: []fault{
			with("Resources.InboundQueue.Properties.FifoQueue", nil),
			with("Resources.InboundDeadQueue.Properties.FifoQueue", false),
			with("Resources.RouteQueue.Properties.FifoQueue", true),
			with("Resources.RouteQueue.Properties.RedrivePolicy", nil),
			with("Resources.RouteQueue.Properties.RedrivePolicy.deadLetterTargetArn", arn("OutboundDeadQueue")),
			with("Resources.OutboundQueue.Properties.RedrivePolicy.maxReceiveCount", 4),
			with("Resources.HooksQueue.Properties.RedrivePolicy.maxReceiveCount", 39),
			with("Resources.HooksQueue.Properties.MessageRetentionPeriod", 345600),
			with("Resources.HooksDeadQueue.Properties.FifoQueue", nil),
			with("Resources.OutboundDeadQueue.Properties.MessageRetentionPeriod", 345600),
			with("Resources.OutboundQueue.Properties.MessageRetentionPeriod", 345599),
			with("Resources.InboundQueue.Properties.MessageRetentionPeriod", 345600),
			with("Resources.RouteQueue.Properties.MessageRetentionPeriod", nil),
		},
	}
}

// visibility: a message stays hidden for six times as long as its consumer may take.
func visibility() rule {
	r := rule{name: "visibility", check: func(t template) []string {
		var found []string
		for _, f := range functions {
			if f.queue == "" {
				continue
			}
			got := t.number("Resources." + f.queue + "Queue.Properties.VisibilityTimeout")
			if want := 6 * t.number(f.path()+".Properties.Timeout"); got < want {
				found = append(found, fmt.Sprintf("%sQueue: got hidden for %d s, want %d at least for %s", f.queue, got, want, f.name))
			}
		}
		return found
	}}
	for name := range queues {
		path := "Resources." + name + "Queue.Properties.VisibilityTimeout"
		r.faults = append(r.faults, with(path, nil), with(path, 179))
	}
	r.faults = append(r.faults, with("Resources.SenderLambdaFunction.Properties.Timeout", 121, "functions"))
	return r
}

// queueConnections: nobody talks to a queue in the clear.
func queueConnections(ids []string) rule {
	const document = "Resources.QueuePolicy.Properties.PolicyDocument"
	return and(facts("queue connections", object{
		document + ".Statement": []object{denyPlain("sqs:*", "*")},
	}), rule{
		check: func(t template) []string {
			got := map[string]bool{}
			for _, q := range t.list("Resources.QueuePolicy.Properties.Queues") {
				got[fmt.Sprint(child(q, "Ref"))] = true
			}
			var found []string
			for _, id := range ids {
				if !got[id] {
					found = append(found, id+" is not under the policy")
				}
			}
			return found
		},
		faults: []fault{with("Resources.QueuePolicy.Properties.Queues.1", ref("InboundQueue"))},
	})
}

// denyPlain is the statement that refuses connections without TLS.
func denyPlain(action string, resource any) object {
	return object{
		"Sid": "EncryptedConnectionsOnly", "Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource,
		"Condition": object{"Bool": object{"aws:SecureTransport": "false"}},
	}
}
