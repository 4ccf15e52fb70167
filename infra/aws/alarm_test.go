package aws

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// limit is where an alarm goes off.
type limit struct {
	id        string
	metric    string // namespace/name
	statistic string
	of        object // dimensions
	above     int
	periods   int // minutes that it must last
}

// limits are the alarms on one number each.
var limits = []limit{
	{"InboundDeadAlarm", "AWS/SQS/ApproximateNumberOfMessagesVisible", "Maximum", object{"QueueName": attribute("InboundDeadQueue", "QueueName")}, 0, 1},
	{"RouteDeadAlarm", "AWS/SQS/ApproximateNumberOfMessagesVisible", "Maximum", object{"QueueName": attribute("RouteDeadQueue", "QueueName")}, 0, 1},
	{"OutboundDeadAlarm", "AWS/SQS/ApproximateNumberOfMessagesVisible", "Maximum", object{"QueueName": attribute("OutboundDeadQueue", "QueueName")}, 0, 1},
	{"HooksDeadAlarm", "AWS/SQS/ApproximateNumberOfMessagesVisible", "Maximum", object{"QueueName": attribute("HooksDeadQueue", "QueueName")}, 0, 1},
	{"InboundAgeAlarm", "AWS/SQS/ApproximateAgeOfOldestMessage", "Maximum", object{"QueueName": attribute("InboundQueue", "QueueName")}, 300, 3},
	{"RouteAgeAlarm", "AWS/SQS/ApproximateAgeOfOldestMessage", "Maximum", object{"QueueName": attribute("RouteQueue", "QueueName")}, 300, 3},
	// A wake-up may be meant for 900 s later.
	{"OutboundAgeAlarm", "AWS/SQS/ApproximateAgeOfOldestMessage", "Maximum", object{"QueueName": attribute("OutboundQueue", "QueueName")}, 1200, 3},
	// A receiver may be down for a day.
	{"HooksAgeAlarm", "AWS/SQS/ApproximateAgeOfOldestMessage", "Maximum", object{"QueueName": attribute("HooksQueue", "QueueName")}, 93600, 3},
	{"CallbackSlowAlarm", "AWS/Lambda/Duration", "p99", object{"FunctionName": ref("CallbackLambdaFunction")}, 2000, 3},
	{"HttpFailuresAlarm", "AWS/ApiGateway/5xx", "Sum", object{"ApiId": ref("HttpApi"), "Stage": ref("HttpApiStage")}, 0, 1},
}

// sums are the alarms on the sum of several numbers, none of which may be above zero.
var sums = []string{"FunctionErrorsAlarm", "FunctionThrottlesAlarm", "TableThrottlesAlarm"}

func alarmRules(d deployment) []rule {
	return []rule{alarms(d), functionAlarms(), tableAlarm(), dashboard(d)}
}

// alarms: each on its number, above its limit, green where there is no number, and heard where somebody listens.
func alarms(d deployment) rule {
	want := object{"Conditions.HasAlarmTopic": object{"Fn::Not": []object{{"Fn::Equals": []string{d.topic, ""}}}}}
	ids := []string{"ExpirySilentAlarm"}
	add := func(id, name string, more object) {
		for n, v := range more {
			want["Resources."+id+".Properties."+n] = v
		}
		want["Resources."+id+".Properties.AlarmName"] = name
		for _, what := range []string{"AlarmActions", "OKActions"} {
			want["Resources."+id+".Properties."+what] = object{"Fn::If": []any{"HasAlarmTopic", []string{d.topic}, ref("AWS::NoValue")}}
		}
	}
	for _, l := range limits {
		ids = append(ids, l.id)
		cut := strings.LastIndex(l.metric, "/")
		statistic := "Statistic"
		if strings.HasPrefix(l.statistic, "p") {
			statistic = "ExtendedStatistic"
		}
		add(l.id, alarmName(d, l.id), object{
			"Namespace": l.metric[:cut], "MetricName": l.metric[cut+1:], statistic: l.statistic, "Dimensions": dimensions(l.of),
			"Threshold": l.above, "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": l.periods, "Period": 60,
			"TreatMissingData": "notBreaching",
		})
	}
	for _, id := range sums {
		ids = append(ids, id)
		add(id, alarmName(d, id), object{
			"Threshold": 0, "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "TreatMissingData": "notBreaching",
		})
	}
	// The sweep's alarm is the other way round: silence is what it tells of.
	add("ExpirySilentAlarm", alarmName(d, "ExpirySilentAlarm"), object{
		"Namespace": "AWS/Lambda", "MetricName": "Invocations", "Statistic": "Sum",
		"Dimensions": dimensions(object{"FunctionName": ref("ExpiryLambdaFunction")}), "Threshold": 1,
		"ComparisonOperator": "LessThanThreshold", "EvaluationPeriods": 1, "Period": 300, "TreatMissingData": "breaching",
	})
	return and(facts("alarms", want), only("alarms", "AWS::CloudWatch::Alarm", ids...))
}

var capital = regexp.MustCompile(`[A-Z]`)

// alarmName: kefu-dev-inbound-dead is InboundDeadAlarm.
func alarmName(d deployment, id string) string {
	name := capital.ReplaceAllStringFunc(strings.TrimSuffix(id, "Alarm"), func(c string) string { return "-" + strings.ToLower(c) })
	return "kefu-" + d.stage + name
}

// dimensions in the order in which CloudFormation lists them here: by name.
func dimensions(of object) []object {
	var list []object
	for _, name := range slices.Sorted(maps.Keys(of)) {
		list = append(list, object{"Name": name, "Value": of[name]})
	}
	return list
}

// summed gives what an alarm sums up, sorted: namespace, name and dimensions as JSON. An alarm that sums up nothing, or
// counts a number that it also shows, gives a word on that instead.
func summed(t template, id string) []string {
	var parts []string
	for i, m := range t.list("Resources." + id + ".Properties.Metrics") {
		if i == 0 {
			if child(m, "Expression") != "SUM(METRICS())" || child(m, "ReturnData") != true {
				parts = append(parts, "no sum: "+text(m))
			}
			continue
		}
		stat, _ := child(m, "MetricStat").(object)
		if child(m, "ReturnData") != false || child(stat, "Stat") != "Sum" {
			parts = append(parts, "no part of a sum: "+text(m))
		}
		parts = append(parts, text(child(stat, "Metric")))
	}
	slices.Sort(parts)
	return parts
}

func metric(namespace, name string, dimensions []object) string {
	return text(object{"Namespace": namespace, "MetricName": name, "Dimensions": dimensions})
}

// functionAlarms: errors and throttles of every function are in their sums.
func functionAlarms() rule {
	alarms := map[string]string{"FunctionErrorsAlarm": "Errors", "FunctionThrottlesAlarm": "Throttles"}
	const errors = "Resources.FunctionErrorsAlarm.Properties.Metrics"
	return rule{
		name: "function alarms",
		check: func(t template) []string {
			var found []string
			for id, name := range alarms {
				var want []string
				for _, f := range functions {
					want = append(want, metric("AWS/Lambda", name, dimensions(object{"FunctionName": ref(f.id + "LambdaFunction")})))
				}
				slices.Sort(want)
				if got := summed(t, id); !slices.Equal(got, want) {
					found = append(found, fmt.Sprintf("%s: got %s, want %s", id, got, want))
				}
			}
			return found
		},
		faults: []fault{
			with(errors+".0.Expression", "callback"), with(errors+".0.ReturnData", false),
			with(errors+".1.ReturnData", true), with(errors+".1.MetricStat.Stat", "Average"),
			with(errors+".2.MetricStat.Metric.MetricName", "Duration"),
			with("Resources.FunctionThrottlesAlarm.Properties.Metrics.6.MetricStat.Metric.Dimensions.0.Value", ref("SenderLambdaFunction")),
		},
	}
}

// tableAlarm: refused reads and writes of the table, writes of each of its indexes, and queries are in the sum.
func tableAlarm() rule {
	const metrics = "Resources.TableThrottlesAlarm.Properties.Metrics"
	table := object{"Name": "TableName", "Value": ref("Table")}
	want := []string{
		metric("AWS/DynamoDB", "ReadThrottleEvents", []object{table}),
		metric("AWS/DynamoDB", "WriteThrottleEvents", []object{table}),
		metric("AWS/DynamoDB", "ThrottledRequests", []object{table, {"Name": "Operation", "Value": "Query"}}),
	}
	for _, x := range indexes {
		of := object{"Name": "GlobalSecondaryIndexName", "Value": x[0]}
		want = append(want, metric("AWS/DynamoDB", "WriteThrottleEvents", []object{table, of}))
	}
	slices.Sort(want)
	return rule{
		name: "table alarm",
		check: func(t template) []string {
			if got := summed(t, "TableThrottlesAlarm"); !slices.Equal(got, want) {
				return []string{fmt.Sprintf("got %s, want %s", got, want)}
			}
			return nil
		},
		faults: []fault{
			with(metrics+".7.MetricStat.Metric.Dimensions.1.Value", "list"),
			with(metrics+".1.MetricStat.Metric.MetricName", "ConsumedReadCapacityUnits"),
		},
	}
}

var substituted = regexp.MustCompile(`\$\{([A-Za-z:]+)(\.QueueName)?}`)

// dashboard: what CloudWatch gets is JSON and shows every function, every queue, the table and the gateway.
func dashboard(d deployment) rule {
	const body = "Resources.Dashboard.Properties.DashboardBody.Fn::Sub"
	return and(facts("dashboard", object{"Resources.Dashboard.Properties.DashboardName": "kefu-" + d.stage}), rule{
		check: func(t template) []string {
			pattern, _ := t.at(body).(string)
			var found []string
			if !json.Valid([]byte(substituted.ReplaceAllString(pattern, "x"))) {
				found = append(found, "is no JSON")
			}
			shown := map[string]bool{}
			for _, m := range substituted.FindAllStringSubmatch(pattern, -1) {
				shown[m[1]] = true
			}
			ids := []string{"Table", "HttpApi"}
			for _, f := range functions {
				ids = append(ids, f.id+"LambdaFunction")
			}
			for q := range queues {
				ids = append(ids, q+"Queue", q+"DeadQueue")
			}
			for _, id := range ids {
				if !shown[id] {
					found = append(found, "does not show "+id)
				}
			}
			return found
		},
		faults: []fault{with(body, nil), with(body, "{"), with(body, `{"widgets": ["${Table}"]}`)},
	})
}
