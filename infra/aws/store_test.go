package aws

import (
	"fmt"
	"strings"
)

// indexes of the table: name, partition, place.
var indexes = [][3]string{{"time", "tp", "ta"}, {"list", "l1", "o"}, {"agent", "l2", "o"}, {"queue", "l3", "q"}}

func storeRules(d deployment) []rule {
	return []rule{table(), bucket(), key(d), keyPolicy(), kept(d)}
}

// table: the keys that the adapter counts on, and what guards the data.
func table() rule {
	const p = "Resources.Table.Properties"
	keys := func(hash, sort string) []object {
		return []object{{"AttributeName": hash, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}}
	}
	var wantIndexes []object
	for _, x := range indexes {
		wantIndexes = append(wantIndexes, object{
			"IndexName": x[0], "KeySchema": keys(x[1], x[2]), "Projection": object{"ProjectionType": "KEYS_ONLY"},
		})
	}
	var attributes []object
	for _, name := range []string{"pk", "sk", "tp", "ta", "l1", "o", "l2", "l3", "q"} {
		attributes = append(attributes, object{"AttributeName": name, "AttributeType": "S"})
	}
	return and(facts("table", object{
		p + ".TableName":                             nil,
		p + ".BillingMode":                           "PAY_PER_REQUEST",
		p + ".AttributeDefinitions":                  attributes,
		p + ".KeySchema":                             keys("pk", "sk"),
		p + ".GlobalSecondaryIndexes":                wantIndexes,
		p + ".LocalSecondaryIndexes":                 nil,
		p + ".TimeToLiveSpecification.AttributeName": "ttl",
		p + ".TimeToLiveSpecification.Enabled":       true,
		p + ".PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled": true,
		p + ".SSESpecification.SSEEnabled":                                 true,
		p + ".SSESpecification.SSEType":                                    "KMS",
	}), only("table", "AWS::DynamoDB::Table", "Table"))
}

// bucket: ours, of our stack and of the deployments, are private and encrypted; what is left lying in ours goes away.
func bucket() rule {
	const p = "Resources.Bucket.Properties"
	want := object{
		p + ".BucketName": nil,
		p + ".OwnershipControls.Rules.0.ObjectOwnership": "BucketOwnerEnforced",
		p + ".VersioningConfiguration":                   nil,
		p + ".LifecycleConfiguration.Rules.0":            object{"Id": "queue", "Status": "Enabled", "Prefix": "queue/", "ExpirationInDays": 30},
		p + ".LifecycleConfiguration.Rules.1":            object{"Id": "uploads", "Status": "Enabled", "AbortIncompleteMultipartUpload": object{"DaysAfterInitiation": 1}},
		"Resources.BucketPolicy.Properties.Bucket":       ref("Bucket"),
		"Resources.BucketPolicy.Properties.PolicyDocument.Statement": []object{
			denyPlain("s3:*", []object{arn("Bucket"), sub("${Bucket.Arn}/*")}),
		},
		"Resources.ServerlessDeploymentBucketPolicy.Properties.PolicyDocument.Statement.0.Effect":    "Deny",
		"Resources.ServerlessDeploymentBucketPolicy.Properties.PolicyDocument.Statement.0.Condition": object{"Bool": object{"aws:SecureTransport": false}},
	}
	for _, id := range []string{"Bucket", "ServerlessDeploymentBucket"} {
		want["Resources."+id+".Properties.BucketEncryption.ServerSideEncryptionConfiguration.0.ServerSideEncryptionByDefault"] = object{"SSEAlgorithm": "AES256"}
		for _, what := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
			want["Resources."+id+".Properties.PublicAccessBlockConfiguration."+what] = true
		}
	}
	rules := facts("bucket", want)
	rules = and(rules, only("bucket", "AWS::S3::Bucket", "Bucket", "ServerlessDeploymentBucket"))
	return and(rules, only("bucket", "AWS::S3::BucketPolicy", "BucketPolicy", "ServerlessDeploymentBucketPolicy"))
}

// key: one key for secrets, renewed each year.
func key(d deployment) rule {
	return and(facts("key", object{
		"Resources.SecretsKey.Properties.EnableKeyRotation":     true,
		"Resources.SecretsKey.Properties.KeySpec":               nil,
		"Resources.SecretsKey.Properties.MultiRegion":           nil,
		"Resources.SecretsKeyAlias.Properties.AliasName":        "alias/kefu-" + d.stage,
		"Resources.SecretsKeyAlias.Properties.TargetKeyId":      ref("SecretsKey"),
		"Resources.SecretsKey.Properties.KeyPolicy.Statement.1": use("Open", "kms:Decrypt", d, "callback", "sender", "api"),
		"Resources.SecretsKey.Properties.KeyPolicy.Statement.2": use("Seal", "kms:GenerateDataKey", d, "sender", "api"),
	}), only("key", "AWS::KMS::Key", "SecretsKey"))
}

// use is the statement of the key's policy that lets the roles of some functions do something.
func use(sid, action string, d deployment, functions ...string) object {
	var roles []object
	for _, f := range functions {
		roles = append(roles, sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/kefu-"+d.stage+"-"+d.region()+"-"+f))
	}
	return object{
		"Sid": sid, "Effect": "Allow", "Action": action, "Resource": "*",
		"Principal": object{"AWS": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")},
		"Condition": object{"StringEquals": object{"kms:EncryptionContext:app": "kefu"}, "ArnEquals": object{"aws:PrincipalArn": roles}},
	}
}

// keyPolicy: the account administers the key and can't use it. A policy that nobody can change would be for ever.
func keyPolicy() rule {
	const admin = "Resources.SecretsKey.Properties.KeyPolicy.Statement.0"
	const more = "Resources.SecretsKey.Properties.KeyPolicy.Statement"
	return rule{
		name: "key policy",
		check: func(t template) []string {
			var found []string
			actions := text(t.at(admin + ".Action"))
			for _, bad := range []string{"*", "crypt", "GenerateDataKey", "CreateGrant", "GetPublicKey"} {
				if strings.Contains(actions, bad) {
					found = append(found, "administration may "+bad)
				}
			}
			if !strings.Contains(actions, `"kms:PutKeyPolicy"`) {
				found = append(found, "nobody can change the policy")
			}
			want := object{"AWS": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")}
			if got := t.at(admin + ".Principal"); text(got) != text(want) {
				found = append(found, fmt.Sprintf("got administrator %s, want %s", text(got), text(want)))
			}
			if n := len(t.list(more)); n != 3 {
				found = append(found, fmt.Sprintf("got %d statements, want 3", n))
			}
			return found
		},
		faults: []fault{
			with(admin+".Action", "kms:*"),
			with(admin+".Action.0", "kms:Decrypt"),
			with(admin+".Action.0", "kms:CreateGrant"),
			with(admin+".Action.2", "kms:GetKeyPolicy"),
			with(admin+".Principal", "*"),
			with(more, []any{}, "key"),
		},
	}
}

// kept: what happens to the data when somebody deletes the stack, or tries to.
func kept(d deployment) rule {
	want := object{
		"Protected": d.protect,
		"Resources.Table.Properties.DeletionProtectionEnabled": d.protect,
	}
	for _, id := range []string{"Table", "Bucket", "SecretsKey"} {
		want["Resources."+id+".DeletionPolicy"] = d.retain
		want["Resources."+id+".UpdateReplacePolicy"] = d.retain
	}
	return facts("kept", want)
}
