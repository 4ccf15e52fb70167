package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestMain lets this program be the emulator.
func TestMain(m *testing.M) {
	if os.Getenv("KEFU_PLAY_EMULATOR") != "" {
		main()
	}
	os.Exit(m.Run())
}

// emulator is the program in an empty folder, with engines that are there already unless env says otherwise.
func emulator(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "KEFU_PLAY_EMULATOR=1", "CI=", "KEFU_TEST_DYNAMODB=there", "KEFU_TEST_SQS=", "KEFU_TEST_S3=")
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// lacking is an environment without engines and without anything to run them.
var lacking = []string{"KEFU_TEST_DYNAMODB=", "PATH=/nowhere"}

func TestCommands(t *testing.T) {
	t.Parallel()
	const shell = "/bin/sh"
	skipped := "emulator: tests against DynamoDB, SQS and S3 are skipped: the local engines are not available: there is no java\n"
	for name, c := range map[string]struct {
		env         []string
		args        []string
		code        int
		out, errors string
	}{
		"success":               {args: []string{"with", "--", shell, "-c", "echo $KEFU_TEST_DYNAMODB"}, out: "there\n"},
		"without dashes":        {args: []string{"with", shell, "-c", "echo said"}, out: "said\n"},
		"the command's code":    {args: []string{"with", "--", shell, "-c", "exit 7"}, code: 7},
		"killed by a signal":    {args: []string{"with", "--", shell, "-c", "kill -KILL $$"}, code: 137},
		"no such command":       {args: []string{"with", "--", "./absent"}, code: 1, errors: "emulator: fork/exec ./absent: no such file or directory\n"},
		"with what":             {args: []string{"with", "--"}, code: 2, errors: "emulator: with which command? with -- COMMAND …\n"},
		"unknown":               {args: []string{"fly"}, code: 2, errors: "emulator: unknown command \"fly\"; there are with, up, status and down\n"},
		"too many words":        {args: []string{"up", "there"}, code: 2, errors: "emulator: up takes no words, and got \"there\"\n"},
		"nothing is up":         {args: []string{"status"}, code: 1, errors: "emulator: no engines are up\n"},
		"nothing to stop":       {args: []string{"down"}, code: 1, errors: "emulator: no engines are up\n"},
		"no java":               {env: lacking, args: []string{"with", "--", shell, "-c", "echo \"<$KEFU_TEST_DYNAMODB>\"; exit 5"}, code: 5, out: "<>\n", errors: skipped},
		"no java where CI runs": {env: append([]string{"CI=true"}, lacking...), args: []string{"with", "--", shell, "-c", "echo ran"}, code: 1, errors: "emulator: the local engines are not available: there is no java\n"},
		"up without java":       {env: lacking, args: []string{"up"}, code: 1, errors: "emulator: the local engines are not available: there is no java\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := emulator(t, c.env, c.args...)
			var out, errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &errs
			if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
				t.Fatal(err)
			}
			if got := cmd.ProcessState.ExitCode(); got != c.code {
				t.Errorf("code: got %d, want %d", got, c.code)
			}
			if out.String() != c.out {
				t.Errorf("standard output: got %q, want %q", &out, c.out)
			}
			if errs.String() != c.errors {
				t.Errorf("standard error: got %q, want %q", &errs, c.errors)
			}
		})
	}
}

// The command hears of a signal, ends in its own way, and its code counts.
func TestSignalsReachTheCommand(t *testing.T) {
	t.Parallel()
	cmd := emulator(t, nil, "with", "--", "/bin/sh", "-c", "trap 'echo tidy; exit 9' TERM; echo up; while :; do read never; done")
	in, err := cmd.StdinPipe() // what the command waits for; it inherits the pipe
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close() })
	said := start(t, cmd)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	// A shell runs its trap when the command in hand is over.
	if _, err := io.WriteString(in, "\n"); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(said)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != 9 || strings.TrimSpace(string(rest)) != "tidy" {
		t.Errorf("got code %d after %q, want 9 after tidy", got, rest)
	}
}

// start starts a command and waits for its first line.
func start(t *testing.T, cmd *exec.Cmd) *bufio.Reader {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(out)
	if _, err := said.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return said
}
