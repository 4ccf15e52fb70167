// Api serves the HTTP interface for agents and the business's own software. The
// calls are in shared/flow/agent.
package main

import (
	"kefu/shared/app"
	"kefu/shared/faas"
)

func main() {
	faas.Main(app.API)
}
