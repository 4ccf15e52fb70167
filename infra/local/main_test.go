package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// TestMain lets this program be kefu, and has a folder for what the tests build.
func TestMain(m *testing.M) {
	if os.Getenv("KEFU_PLAY_KEFU") != "" {
		main()
		return
	}
	os.Exit(func() int {
		var err error
		if built.folder, err = os.MkdirTemp("", "kefu-functions-"); err != nil {
			panic(err)
		}
		defer func() { _ = os.RemoveAll(built.folder) }() // it is in the system's own folder for such things
		return m.Run()
	}())
}

// built are the functions' binaries, made once for all tests that want them.
var built struct {
	folder string
	once   sync.Once
	err    error
}

// binaries gives the folder of the built functions, and of the empty one.
func binaries(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		built.err = buildFunctions(context.Background(), built.folder, "kefu/infra/local/empty")
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.folder
}

// TestCommands: what can't work is one clear line, and exit code 1.
func TestCommands(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const noJava = "kefu: the local engines are not available: there is no java (KEFU_ENGINE=aws needs Java, Node and npm; without that setting Kefu needs Go alone)\n"
	for name, tt := range map[string]struct {
		args []string
		env  []string
		want string
	}{
		"run without Java":             {[]string{"run"}, []string{"KEFU_ENGINE=aws", "PATH=/nowhere", "KEFU_ADDR=127.0.0.1:0"}, noJava},
		"demo without Java":            {[]string{"demo"}, []string{"KEFU_ENGINE=aws", "PATH=/nowhere"}, noJava},
		"run on another engine":        {[]string{"run"}, []string{"KEFU_ENGINE=sqlite"}, "kefu: KEFU_ENGINE is \"sqlite\"; want embedded or aws\n"},
		"demo on another engine":       {[]string{"demo"}, []string{"KEFU_ENGINE=sqlite"}, "kefu: KEFU_ENGINE is \"sqlite\"; want embedded or aws\n"},
		"dead without any queue":       {[]string{"dead"}, inAWS(), "kefu: set the URL of at least one queue: KEFU_QUEUE_INBOUND, KEFU_QUEUE_ROUTE, KEFU_QUEUE_OUTBOUND or KEFU_QUEUE_HOOKS\n"},
		"dead of a queue that is none": {[]string{"dead"}, append(inAWS(), "KEFU_QUEUE_ROUTE=there"), "KEFU_QUEUE_ROUTE is not the URL of a queue\n"},
		"unknown":                      {[]string{"fly"}, nil, "kefu: unknown command \"fly\"; there are run, demo, bench and dead\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), self, tt.args...)
			cmd.Dir, cmd.Env = t.TempDir(), append([]string{"KEFU_PLAY_KEFU=1"}, tt.env...)
			var said bytes.Buffer
			cmd.Stderr = &said
			err := cmd.Run()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.HasSuffix(said.String(), tt.want) || strings.Count(said.String(), "\n") != 1 {
				t.Errorf("got %v and %q, want exit code 1 and %q", err, &said, tt.want)
			}
		})
	}
}

// inAWS are the settings that dead needs of a deployment, without its queues.
func inAWS() []string {
	return []string{"KEFU_ENGINE=aws", "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=id", "AWS_SECRET_ACCESS_KEY=key"}
}
