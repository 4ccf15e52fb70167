package app

import (
	"net/http"

	"kefu/shared/adapter/dynamo"
)

// Probed lets a test hear what the engine of a system uses.
func Probed(c Config, meter func(dynamo.Usage), wire func(http.RoundTripper) http.RoundTripper) Config {
	c.probe = probe{meter: meter, wire: wire}
	return c
}

// Wired lets a test hear the requests of a system, beside what hears what they use.
func Wired(c Config, wire func(http.RoundTripper) http.RoundTripper) Config {
	if inner := c.probe.wire; inner != nil {
		outer := wire
		wire = func(next http.RoundTripper) http.RoundTripper { return outer(inner(next)) }
	}
	c.probe.wire = wire
	return c
}
