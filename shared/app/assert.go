package app

import (
	"kefu/shared/adapter/bolt"
	"kefu/shared/adapter/wechat"
	"kefu/shared/flow/agent"
	"kefu/shared/flow/callback"
	"kefu/shared/flow/expire"
	"kefu/shared/flow/ingest"
	"kefu/shared/flow/media"
	"kefu/shared/flow/route"
	"kefu/shared/flow/send"
	"kefu/shared/flow/token"
	"kefu/shared/shell"
)

// Who stands behind which port. The compiler reads this list; so may you.
var (
	_ callback.Accounts = (*bolt.Store)(nil)
	_ callback.Inbound  = (*bolt.Queue)(nil)
	_ callback.Channel  = (*wechat.Inbox)(nil)

	_ ingest.Store   = (*bolt.Store)(nil)
	_ ingest.Channel = (*wechat.Inbox)(nil)
	_ ingest.Media   = (*media.Keeper)(nil)

	_ route.Sessions = (*bolt.Store)(nil)
	_ route.Agents   = (*bolt.Store)(nil)

	_ send.Messages  = (*bolt.Store)(nil)
	_ send.Messenger = (*wechat.Client)(nil)
	_ send.Media     = (*media.Keeper)(nil)

	_ expire.Index   = (*bolt.Store)(nil)
	_ expire.Cleaner = (*media.Keeper)(nil)

	_ agent.Store = (*bolt.Store)(nil)
	_ agent.Media = (*media.Keeper)(nil)
	_ agent.Typer = (*wechat.Client)(nil)

	_ token.Store  = (*bolt.Store)(nil)
	_ token.Issuer = (*wechat.Client)(nil)

	_ shell.Store = (*bolt.Store)(nil)
	_ shell.Queue = (*bolt.Queue)(nil)
)
