// Callback answers the platform: it verifies and decrypts each push, puts it into the
// inbound queue and says success. The rules are in shared/flow/callback.
package main

import (
	"kefu/shared/app"
	"kefu/shared/faas"
)

func main() {
	faas.Main(app.Callback)
}
