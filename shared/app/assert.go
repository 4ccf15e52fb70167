package app

import (
	"kefu/shared/adapter/bolt"
	"kefu/shared/adapter/dynamo"
	"kefu/shared/adapter/hook"
	"kefu/shared/adapter/kms"
	"kefu/shared/adapter/s3"
	"kefu/shared/adapter/sqs"
	"kefu/shared/adapter/wechat"
	"kefu/shared/flow/agent"
	"kefu/shared/flow/callback"
	"kefu/shared/flow/doctor"
	"kefu/shared/flow/expire"
	"kefu/shared/flow/ingest"
	"kefu/shared/flow/media"
	"kefu/shared/flow/notify"
	"kefu/shared/flow/route"
	"kefu/shared/flow/send"
	"kefu/shared/flow/token"
	"kefu/shared/shell"
)

// Who stands behind which port. The compiler reads this list; so may you.
var (
	_ Store = (*bolt.Store)(nil)
	_ Store = (*dynamo.Store)(nil)
	_ Queue = (*bolt.Queue)(nil)
	_ Queue = (*sqs.Queue)(nil)

	_ dynamo.Vault  = (*kms.Vault)(nil)
	_ dynamo.Bucket = (*s3.Bucket)(nil)
	_ sqs.Bucket    = (*s3.Bucket)(nil)

	_ callback.Accounts = (*accountCache)(nil)
	_ callback.Sights   = (*doctor.Noter)(nil)
	_ callback.Inbound  = Queue(nil)
	_ callback.Channel  = (*wechat.Inbox)(nil)

	_ ingest.Channel = (*wechat.Inbox)(nil)
	_ ingest.Sights  = (*doctor.Noter)(nil)
	_ ingest.Media   = (*media.Keeper)(nil)

	_ send.Messenger = (*wechat.Client)(nil)
	_ send.Media     = (*media.Keeper)(nil)

	_ notify.Receiver = (*hook.Client)(nil)
	_ route.Responder = (*hook.Client)(nil)

	_ expire.Cleaner = (*media.Keeper)(nil)

	_ doctor.Platform = (*wechat.Client)(nil)

	_ agent.Media = (*media.Keeper)(nil)
	_ agent.Typer = (*wechat.Client)(nil)

	_ token.Issuer = (*wechat.Client)(nil)
	_ shell.Queue  = Queue(nil)
)
