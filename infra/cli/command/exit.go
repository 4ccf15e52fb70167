package command

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"kefu/infra/cli/client"
)

// The exit codes, which scripts rely on.
const (
	exitOK          = 0
	exitRefused     = 1
	exitUsage       = 2
	exitUnreachable = 3
	exitNotFound    = 4
	exitConflict    = 5
	exitDenied      = 6
	exitInterrupted = 130 // as shells say it of SIGINT
)

const exitText = `  0    done
  1    Kefu refused, or doctor found something wrong; also when a file or a terminal can't be written
  2    wrong usage: a word, a flag, a setting or a file on this side
  3    not reachable: no connection, no answer in time, or something else answers at the address
  4    not found, or nothing that the key may see (404)
  5    conflict: the state of things forbids it (409)
  6    not permitted: no valid key, or one that may not (401, 403)
  130  interrupted; kefu tail ends with 0

What went wrong stands in one line on standard error, with a stable code in brackets; standard output then holds nothing,
but for what doctor found.`

// exitCodes is a topic of help.
func exitCodes() *cobra.Command {
	return &cobra.Command{Use: "exit-codes", Short: "What the exit codes mean", Long: "Exit codes:\n\n" + exitText}
}

// usageError is a mistake on this side.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// unhealthy is what doctor found, which it has shown already.
type unhealthy struct{ text string }

func (u unhealthy) Error() string { return u.text }

// judge gives an error its exit code and the line that tells of it.
func judge(err error) (code int, text string) {
	var wrong usageError
	var away *client.Unreachable
	var no *client.Refusal
	switch {
	case errors.Is(err, context.Canceled):
		return exitInterrupted, "interrupted"
	case errors.As(err, &wrong):
		return exitUsage, err.Error()
	case errors.As(err, &away):
		return exitUnreachable, err.Error()
	case errors.As(err, &no):
		text = err.Error()
		if h := hint(no); h != "" {
			text += "; " + h
		}
		return refused(no.Status), text
	}
	return exitRefused, err.Error()
}

func refused(status int) int {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return exitDenied
	case http.StatusNotFound:
		return exitNotFound
	case http.StatusConflict:
		return exitConflict
	}
	return exitRefused
}

// hints say what to do about a refusal, by its code, where the refusal itself doesn't.
var hints = map[string]string{
	"unauthorized":         "set KEFU_KEY or --key-file to a valid key",
	"role":                 "use the key of somebody who may",
	"not-yours":            "if nobody has it, accept it first; a supervisor's or admin's key may write and act in all",
	"not-found":            "what the key may not see is not found either",
	"already-taken":        "kefu sessions get shows who has it",
	"capacity-full":        "close or transfer a session, or raise the capacity with kefu agents put",
	"not-available":        "kefu agents status AGENT online makes an agent available, kefu agents put --account binds him",
	"not-serving":          "accept the session first",
	"window-closed":        "without --when-closed fail it waits until the customer writes",
	"already-sent":         "kefu message get shows what became of it",
	"key-shown":            "the answer with the key was lost on its way",
	"idempotency-mismatch": "--idempotency-key names one message only",
	"unknown-field":        "GET /v1/openapi.json of the server lists the fields it knows",
	"in-progress":          "try again in a moment",
	"conflict":             "look again, then try again",
	"contention":           "try again",
	"unavailable":          "try again",
	"internal":             "the server's log says why",
}

func hint(r *client.Refusal) string {
	if r.RetryAfter > 0 {
		return fmt.Sprintf("try again in %s", r.RetryAfter)
	}
	if strings.HasPrefix(r.Detail, "There is nothing at this address") {
		return "the server may be older than this kefu"
	}
	return hints[r.Code]
}
