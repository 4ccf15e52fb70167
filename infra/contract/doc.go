// Package contract holds the HTTP interface to its OpenAPI document: a scripted day at the desk is played against the
// real handler on the embedded engine, and every request and every answer is validated against the document. There is
// nothing to call; `make test` runs it.
package contract
