package aws

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// kinds are the resources that may be used: all of them are there in the China Regions. A function URL is not, and X-Ray
// and Cognito's authorisers are not.
var kinds = []string{
	"AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::ApiMapping", "AWS::ApiGatewayV2::DomainName",
	"AWS::ApiGatewayV2::Integration", "AWS::ApiGatewayV2::Route", "AWS::ApiGatewayV2::Stage", "AWS::CloudWatch::Alarm",
	"AWS::CloudWatch::Dashboard", "AWS::DynamoDB::Table", "AWS::Events::Rule", "AWS::IAM::Role", "AWS::KMS::Alias",
	"AWS::KMS::Key", "AWS::Lambda::EventSourceMapping", "AWS::Lambda::Function", "AWS::Lambda::Permission",
	"AWS::Logs::LogGroup", "AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::SQS::Queue", "AWS::SQS::QueuePolicy",
}

// services are the principals of services. They have the same names in China; others end in .amazonaws.com.cn there.
var services = []string{"apigateway.amazonaws.com", "events.amazonaws.com", "lambda.amazonaws.com"}

func placeRules(d deployment) []rule {
	return []rule{kindsRule(), partition(d), facts("china", object{
		"Conditions.InChina": object{"Fn::Equals": []any{ref("AWS::Partition"), "aws-cn"}},
	})}
}

func kindsRule() rule {
	return rule{
		name: "kinds",
		check: func(t template) []string {
			var found []string
			for id, r := range t["Resources"].(object) {
				if kind, _ := child(r, "Type").(string); !slices.Contains(kinds, kind) {
					found = append(found, fmt.Sprintf("%s is a %s", id, kind))
				}
			}
			return found
		},
		faults: []fault{
			with("Resources.Another", object{"Type": "AWS::Lambda::Url"}),
			with("Resources.Another", object{"Type": "AWS::ApiGatewayV2::Authorizer"}),
			with("Resources.Another", object{"Type": "AWS::XRay::Group"}),
		},
	}
}

var (
	region  = regexp.MustCompile(`\b(us|eu|ap|cn|sa|ca|me|af|il|mx)-[a-z]+-\d\b`)
	account = regexp.MustCompile(`\b\d{12}\b`)
)

// partition: nothing but what the operator gave, and the names of roles, says where the deployment runs.
func partition(d deployment) rule {
	return rule{
		name: "partition",
		check: func(t template) []string {
			var found []string
			walk("Resources", t["Resources"], func(path, s string) {
				if s == certificate || s == topic || strings.HasSuffix(path, ".S3Key") {
					return
				}
				if strings.Contains(s, "arn:aws") {
					found = append(found, path+": the partition is written out in "+s)
				}
				if strings.Contains(s, "amazonaws.com") && !slices.Contains(services, s) {
					found = append(found, path+": the suffix of addresses is written out in "+s)
				}
				if strings.Contains(s, "kefu-"+d.stage+"-"+d.region()+"-") {
					return
				}
				// Most strings have no digit, and looking for one is cheap.
				if strings.ContainsAny(s, "0123456789") && (region.MatchString(s) || account.MatchString(s)) {
					found = append(found, path+": Region or account is written out in "+s)
				}
			})
			slices.Sort(found)
			return found
		},
		faults: []fault{
			with("Resources.Table.Properties.Comment", "arn:aws:dynamodb:x"),
			with("Resources.Table.Properties.Comment", "arn:aws-cn:dynamodb:x"),
			with("Resources.Table.Properties.Comment", "https://sqs.amazonaws.com"),
			with("Resources.Table.Properties.Comment", "ec2.amazonaws.com"),
			with("Resources.Table.Properties.Comment", "eu-west-1"),
			with("Resources.Table.Properties.Comment", "a queue of 123456789012"),
		},
	}
}
