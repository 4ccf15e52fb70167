// Empty is a function that does nothing: what the start of the others is measured against.
package main

import (
	"context"

	"kefu/shared/faas"
)

func main() {
	faas.Main(func(context.Context) (faas.Handler, error) {
		return func(context.Context, []byte) ([]byte, error) { return []byte("{}"), nil }, nil
	})
}
