package bolt_test

import (
	"os"
	"os/exec"
	"testing"
)

// Some tests need a process that they can starve or kill. They run this test binary again with a role in the
// environment; TestMain plays it instead of running tests.
const (
	roleVariable = "KEFU_BOLT_TEST_ROLE"
	pathVariable = "KEFU_BOLT_TEST_PATH"
)

// roles are what a child process may play, each with its exit code.
var roles = map[string]func(path string) int{
	"hammer": hammer,
}

func TestMain(m *testing.M) {
	if role := roles[os.Getenv(roleVariable)]; role != nil {
		os.Exit(role(os.Getenv(pathVariable)))
	}
	os.Exit(m.Run())
}

// child prepares a process that plays a role on a file.
func child(t *testing.T, role, path string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatalf("own path: got error %v; want none", err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), roleVariable+"="+role, pathVariable+"="+path)
	cmd.Stderr = os.Stderr
	return cmd
}
