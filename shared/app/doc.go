// Package app puts the parts together: it is the only place that knows which
// engine stands behind which port. [Open] builds a whole [System] from a
// [Config]; [Callback], [Ingest], [Router], [Sender], [Expiry] and [API] each
// build the handler of one function from the environment, for faas.Main.
package app
