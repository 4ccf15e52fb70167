// Package app puts the parts together: it is the only place that knows which
// engine stands behind which port. [Open] builds a whole [System] from a
// [Config]; [Callback], [Ingest], [Router], [Sender], [Webhook], [Expiry] and [API] each
// build the handler of one function from the environment, for faas.Main.
//
// There are two engines: embedded.go opens one file for one process, cloudengine.go
// DynamoDB, SQS, S3 and KMS. Whatever is special about one stands in its [engine];
// the rest of the package, and all flows, know ports only.
package app
