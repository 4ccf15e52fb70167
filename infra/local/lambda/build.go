package lambda

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// tags are the build tags of what goes to Lambda: without the old RPC mode of its library, and without the host for SCF.
const tags = "lambda.norpc,noscf"

// Build compiles main packages for this machine, else as they go to Lambda, into a folder, which it makes. It must be
// called within the module.
func Build(ctx context.Context, folder string, packages ...string) error {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	args := []string{"build", "-trimpath", "-buildvcs=false", "-tags", tags, "-ldflags", "-s -w", "-o", folder + string(filepath.Separator)}
	cmd := exec.CommandContext(ctx, "go", append(args, packages...)...) //nolint:gosec // the packages are named in the source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the functions: %w\n%s", err, strings.TrimSpace(string(out)))
	}
	return nil
}
