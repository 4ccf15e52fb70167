//go:build noscf

package faas

import (
	"context"
	"os"
)

// startSCF says that this build isn't for SCF.
func startSCF(Handler) {
	_, _ = os.Stderr.WriteString("this function was built without SCF (tag noscf): build it with make build ARCH=amd64\n")
	os.Exit(1)
}

func scfRequest(context.Context) (id, function string) { return "", "" }
