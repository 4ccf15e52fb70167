// Ingest consumes the inbound queue: it reads pushes, drops repeated ones and steps
// the sessions. The rules are in shared/flow/ingest and shared/core/session.
package main

import (
	"kefu/shared/app"
	"kefu/shared/faas"
)

func main() {
	faas.Main(app.Ingest)
}
