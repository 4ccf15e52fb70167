// Sender consumes the outbound queue: it calls the platform, one message at a time
// for each customer. The rules are in shared/flow/send and shared/core/session.
package main

import (
	"kefu/shared/app"
	"kefu/shared/faas"
)

func main() {
	faas.Main(app.Sender)
}
