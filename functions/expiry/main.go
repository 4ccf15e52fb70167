// Expiry runs every minute: it ends what is over and wakes what a crash left lying.
// The rules are in shared/flow/expire and shared/core/session.
package main

import (
	"kefu/shared/app"
	"kefu/shared/faas"
)

func main() {
	faas.Main(app.Expiry)
}
