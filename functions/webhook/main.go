// Webhook consumes the queue of news: it tells the business's own software what
// happened in its conversations. The rules are in shared/flow/notify and
// shared/core/hook.
package main

import (
	"kefu/shared/app"
	"kefu/shared/faas"
)

func main() {
	faas.Main(app.Webhook)
}
