package aws

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// routes are all that the internet reaches, and the function that answers.
var routes = map[string]string{
	"GET /callback/{account}":  "Callback",
	"POST /callback/{account}": "Callback",
	"ANY /v1/{proxy+}":         "Api",
}

func httpRules(d deployment) []rule {
	return []rule{routesRule(), integrations(d), throttles(), accessLog(), domain(d)}
}

// routesRule: these routes, no authoriser before them (the functions check signatures and keys), and no other way in.
func routesRule() rule {
	const callback = "Resources.HttpApiRoutePostCallbackAccountVar.Properties"
	return rule{
		name: "routes",
		check: func(t template) []string {
			got := map[string]string{}
			var found []string
			for _, id := range t.ofType("AWS::ApiGatewayV2::Route") {
				p := "Resources." + id + ".Properties"
				_, target, _ := strings.Cut(text(t.at(p+".Target")), "HttpApiIntegration")
				target, _, _ = strings.Cut(target, `"`)
				got[fmt.Sprint(t.at(p+".RouteKey"))] = target
				for _, guard := range []string{"AuthorizationType", "AuthorizerId", "ApiKeyRequired"} {
					if v := t.at(p + "." + guard); v != nil {
						found = append(found, fmt.Sprintf("%s has %s %v", id, guard, v))
					}
				}
			}
			if !maps.Equal(got, routes) {
				found = append(found, fmt.Sprintf("got %v, want %v", got, routes))
			}
			return found
		},
		faults: []fault{
			with(callback+".RouteKey", "PUT /callback/{account}"),
			with(callback+".AuthorizationType", "AWS_IAM"),
			with(callback+".Target", object{"Fn::Join": []any{"/", []any{"integrations", ref("HttpApiIntegrationApi")}}}),
			with("Resources.HttpApiRouteGetCallbackAccountVar", nil),
			with("Resources.Another", object{"Type": "AWS::ApiGatewayV2::Route", "Properties": object{"RouteKey": "$default"}}),
		},
	}
}

// integrations: events come as payload 2.0, the query string byte for byte; the gateway alone may call the functions.
func integrations(d deployment) rule {
	want := object{
		"Resources.HttpApi.Properties.Name":                      "kefu-" + d.stage,
		"Resources.HttpApi.Properties.ProtocolType":              "HTTP",
		"Resources.HttpApi.Properties.CorsConfiguration":         nil,
		"Resources.HttpApi.Properties.DisableExecuteApiEndpoint": nil,
	}
	for _, id := range []string{"Callback", "Api"} {
		maps.Copy(want, object{
			"Resources.HttpApiIntegration" + id + ".Properties.PayloadFormatVersion":      "2.0",
			"Resources.HttpApiIntegration" + id + ".Properties.IntegrationUri":            arn(id + "LambdaFunction"),
			"Resources." + id + "LambdaPermissionHttpApi.Properties.FunctionName":         arn(id + "LambdaFunction"),
			"Resources." + id + "LambdaPermissionHttpApi.Properties.Principal":            "apigateway.amazonaws.com",
			"Resources." + id + "LambdaPermissionHttpApi.Properties.SourceArn.Fn::Join.1": []any{"arn:", ref("AWS::Partition"), ":execute-api:", ref("AWS::Region"), ":", ref("AWS::AccountId"), ":", ref("HttpApi"), "/*"},
		})
	}
	return and(facts("integrations", want),
		only("integrations", "AWS::Lambda::Permission", "ApiLambdaPermissionHttpApi", "CallbackLambdaPermissionHttpApi", "ExpiryLambdaPermissionEventsRuleSchedule1"))
}

// throttles: the whole interface has a limit, /v1 a lower one, set when its route is there.
func throttles() rule {
	const stage = "Resources.HttpApiStage"
	const all, api = stage + ".Properties.DefaultRouteSettings", stage + ".Properties.RouteSettings.ANY /v1/{proxy+}"
	return rule{
		name: "throttles",
		check: func(t template) []string {
			var found []string
			for _, limit := range []string{"ThrottlingRateLimit", "ThrottlingBurstLimit"} {
				whole, part := t.number(all+"."+limit), t.number(api+"."+limit)
				if whole <= 0 || part <= 0 || part >= whole {
					found = append(found, fmt.Sprintf("%s: got %d, and %d for /v1; want both, the second lower", limit, whole, part))
				}
			}
			if routes := t.at(stage + ".Properties.RouteSettings"); len(routes.(object)) != 1 {
				found = append(found, fmt.Sprintf("got limits for %s, want them for /v1 alone", text(routes)))
			}
			if !slices.Contains(t.list(stage+".DependsOn"), any("HttpApiRouteAnyV1ProxyVar")) {
				found = append(found, "the stage does not wait for the route whose limit it sets")
			}
			return found
		},
		faults: []fault{
			with(all+".ThrottlingRateLimit", nil), with(all+".ThrottlingBurstLimit", 0),
			with(api+".ThrottlingRateLimit", 1000), with(api+".ThrottlingBurstLimit", nil),
			with(stage+".Properties.RouteSettings.POST /callback/{account}", object{"ThrottlingRateLimit": 1}),
			with(stage+".DependsOn", "HttpApiLogGroup"),
		},
	}
}

// accessLog: there is one, it is JSON, and nothing in it is secret or names a customer.
func accessLog() rule {
	const settings = "Resources.HttpApiStage.Properties.AccessLogSettings"
	return rule{
		name: "access log",
		check: func(t template) []string {
			var found []string
			if got := t.at(settings + ".DestinationArn"); text(got) != text(arn("HttpApiLogGroup")) {
				found = append(found, "got log group "+text(got))
			}
			format, _ := t.at(settings + ".Format").(string)
			var fields map[string]string
			if err := json.Unmarshal([]byte(format), &fields); err != nil {
				return append(found, fmt.Sprintf("got format %q, want one JSON object: %v", format, err))
			}
			for _, want := range []string{"$context.requestId", "$context.routeKey", "$context.status", "$context.responseLatency"} {
				if !slices.Contains(slices.Collect(maps.Values(fields)), want) {
					found = append(found, "tells nothing of "+want)
				}
			}
			for _, bad := range []string{"query", "path", "authoriz", "header", "body", "userAgent"} {
				if strings.Contains(format, "$context."+bad) || strings.Contains(format, "$request") {
					found = append(found, "tells of "+bad)
				}
			}
			return found
		},
		faults: []fault{
			with(settings, nil), with(settings+".DestinationArn", arn("ApiLogGroup")),
			with(settings+".Format", "$context.requestId $context.status"),
			with(settings+".Format", `{"id":"$context.requestId","route":"$context.routeKey","ms":"$context.responseLatency"}`),
			with(settings+".Format", `{"id":"$context.requestId","route":"$context.routeKey","ms":"$context.responseLatency","status":"$context.status","q":"$context.queryString"}`),
		},
	}
}

// domain: a domain of one's own is there when it is asked for, and the condition is false when not.
func domain(d deployment) rule {
	const properties = "Resources.Domain.Properties"
	want := object{
		"Conditions.HasDomain":                                    object{"Fn::Not": []object{{"Fn::Equals": []string{d.domain, ""}}}},
		"Resources.Domain.Condition":                              "HasDomain",
		"Resources.DomainMapping.Condition":                       "HasDomain",
		"Outputs.DomainTarget.Condition":                          "HasDomain",
		"Outputs.DomainTarget.Value":                              attribute("Domain", "RegionalDomainName"),
		properties + ".DomainNameConfigurations.0.EndpointType":   "REGIONAL",
		properties + ".DomainNameConfigurations.0.SecurityPolicy": "TLS_1_2",
		"Resources.DomainMapping.Properties.ApiId":                ref("HttpApi"),
		"Resources.DomainMapping.Properties.DomainName":           ref("Domain"),
	}
	if d.domain != "" {
		want[properties+".DomainName"] = d.domain
		want[properties+".DomainNameConfigurations.0.CertificateArn"] = certificate
	}
	return facts("domain", want)
}
