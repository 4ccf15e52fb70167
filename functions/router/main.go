// Router consumes the route queue: it gives waiting sessions to free agents. The
// rules are in shared/flow/route and shared/core/route.
package main

import (
	"kefu/shared/app"
	"kefu/shared/faas"
)

func main() {
	faas.Main(app.Router)
}
