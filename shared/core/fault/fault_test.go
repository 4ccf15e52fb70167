package fault_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kefu/shared/core/fault"
)

var errDial = errors.New("dial tcp: connection refused")

type seen struct {
	Kind   fault.Kind
	Code   string
	Detail string
	Status int
	Act    fault.Action
	After  time.Duration
}

func look(err error) seen {
	d := fault.Decide(err)
	return seen{fault.KindOf(err), fault.CodeOf(err), fault.DetailOf(err), fault.Status(err), d.Action, d.After}
}

func TestKindTables(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		kind   fault.Kind
		status int
		action fault.Action
	}{
		{fault.Invalid, 400, fault.Park},
		{fault.Denied, 403, fault.Park},
		{fault.NotFound, 404, fault.Park},
		{fault.Conflict, 409, fault.RetryNow},
		{fault.Exhausted, 429, fault.RetryLater},
		{fault.Unavailable, 503, fault.Redeliver},
		{fault.Internal, 500, fault.Redeliver},
		{fault.Kind("stray"), 500, fault.Redeliver},
		{fault.Kind(""), 500, fault.Redeliver},
	} {
		t.Run(string(tc.kind), func(t *testing.T) {
			t.Parallel()
			for name, err := range map[string]error{
				"bare":    tc.kind,
				"new":     fault.New(tc.kind, "", ""),
				"wrap":    fault.Wrap(tc.kind, "", errDial),
				"wrapped": fmt.Errorf("load s1: %w", fault.New(tc.kind, "", "")),
				"joined":  errors.Join(errDial, fault.New(tc.kind, "", "")),
			} {
				if got := fault.Status(err); got != tc.status {
					t.Errorf("%s: status got %d, want %d", name, got, tc.status)
				}
				if got, want := fault.Decide(err), (fault.Decision{Action: tc.action}); got != want {
					t.Errorf("%s: decision got %v, want %v", name, got, want)
				}
				if fault.DetailOf(err) == "" || fault.CodeOf(err) == "" {
					t.Errorf("%s: got detail %q and code %q, want both", name, fault.DetailOf(err), fault.CodeOf(err))
				}
			}
		})
	}
}

func TestReading(t *testing.T) {
	t.Parallel()
	taken := fault.New(fault.Conflict, "already-taken", "Another agent has it.")
	for name, tc := range map[string]struct {
		err  error
		want seen
	}{
		"new": {taken, seen{fault.Conflict, "already-taken", "Another agent has it.", 409, fault.RetryNow, 0}},
		"plain wrapping changes nothing": {
			fmt.Errorf("accept: %w", taken),
			seen{fault.Conflict, "already-taken", "Another agent has it.", 409, fault.RetryNow, 0},
		},
		"the cause is never shown": {
			fault.Wrap(fault.Unavailable, "", errDial),
			seen{fault.Unavailable, "unavailable", "A service that this needs does not answer. Try again later.", 503, fault.Redeliver, 0},
		},
		"the outermost verdict counts": {
			fault.Wrap(fault.Internal, "broken", fault.WithStatus(taken, 422)),
			seen{fault.Internal, "broken", "Something went wrong on our side.", 500, fault.Redeliver, 0},
		},
		"own status keeps the kind": {
			fmt.Errorf("x: %w", fault.WithStatus(fault.New(fault.Invalid, "type-not-supported", "No such type."), 422)),
			seen{fault.Invalid, "type-not-supported", "No such type.", 422, fault.Park, 0},
		},
		"status below 400 is ignored": {
			fault.WithStatus(taken, 200),
			seen{fault.Conflict, "already-taken", "Another agent has it.", 409, fault.RetryNow, 0},
		},
		"outer status wins": {
			fault.WithStatus(fault.WithStatus(fault.Denied, 401), 413),
			seen{fault.Denied, "denied", "This is not allowed.", 413, fault.Park, 0},
		},
		"later": {
			fault.Later("minute-limit", "Wait a minute.", time.Minute),
			seen{fault.Exhausted, "minute-limit", "Wait a minute.", 429, fault.RetryLater, time.Minute},
		},
		"later with a cause": {
			fault.WithAfter(fault.Wrap(fault.Exhausted, "", errDial), time.Hour),
			seen{fault.Exhausted, "exhausted", "Too many requests.", 429, fault.RetryLater, time.Hour},
		},
		"negative wait": {
			fault.Later("", "", -time.Second),
			seen{fault.Exhausted, "exhausted", "Too many requests.", 429, fault.RetryLater, 0},
		},
		"a wait means nothing for other kinds": {
			fault.WithAfter(taken, time.Hour),
			seen{fault.Conflict, "already-taken", "Another agent has it.", 409, fault.RetryNow, 0},
		},
		"own text on a wrap": {
			fault.WithDetail(fault.Wrap(fault.Invalid, "bad-json", errDial), "Line 3."),
			seen{fault.Invalid, "bad-json", "Line 3.", 400, fault.Park, 0},
		},
		"notes of a branch that judges nothing are dropped": {
			errors.Join(fault.WithDetail(errDial, "no"), taken),
			seen{fault.Conflict, "already-taken", "Another agent has it.", 409, fault.RetryNow, 0},
		},
		"a note on an unjudged error stays": {
			fault.WithStatus(errDial, 501),
			seen{fault.Internal, "internal", "Something went wrong on our side.", 501, fault.Redeliver, 0},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, look(tc.err)); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

func TestUnjudged(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	late, stop := context.WithTimeout(context.Background(), -1)
	t.Cleanup(stop)
	for name, tc := range map[string]struct {
		err  error
		want fault.Kind
	}{
		"deadline":         {late.Err(), fault.Unavailable},
		"wrapped deadline": {fmt.Errorf("put: %w", context.DeadlineExceeded), fault.Unavailable},
		"cancelled":        {cancelled.Err(), fault.Unavailable},
		"joined cancel":    {errors.Join(io.EOF, fmt.Errorf("x: %w", context.Canceled)), fault.Unavailable},
		"network timeout":  {&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, fault.Unavailable},
		"noted cancel":     {fault.WithDetail(context.Canceled, "d"), fault.Unavailable},
		"network refusal":  {&net.OpError{Op: "dial", Err: errDial}, fault.Internal},
		"plain":            {io.EOF, fault.Internal},
		"nil":              {nil, fault.Internal},
		"judged deadline":  {fault.Wrap(fault.Internal, "", context.DeadlineExceeded), fault.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := fault.KindOf(tc.err); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestIs(t *testing.T) {
	t.Parallel()
	missing := fault.Wrap(fault.NotFound, "", errDial)
	err := fmt.Errorf("load: %w", fault.With(missing, map[string]any{"id": "s1"}))
	for _, tc := range []struct {
		target error
		want   bool
	}{
		{fault.NotFound, true},
		{errDial, true},
		{missing, true},
		{fault.Conflict, false},
		{io.EOF, false},
	} {
		if got := errors.Is(err, tc.target); got != tc.want {
			t.Errorf("errors.Is(err, %v): got %t, want %t", tc.target, got, tc.want)
		}
	}
	if !errors.Is(fault.New("stray", "", ""), fault.Internal) || !errors.Is(fault.Kind("stray"), fault.Internal) {
		t.Error("a stray kind: got something else, want internal")
	}
}

func TestNilStaysNil(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"Wrap":       fault.Wrap(fault.Internal, "x", nil),
		"With":       fault.With(nil, map[string]any{"a": 1}),
		"WithStatus": fault.WithStatus(nil, 422),
		"WithDetail": fault.WithDetail(nil, "x"),
		"WithAfter":  fault.WithAfter(nil, time.Second),
	} {
		if err != nil {
			t.Errorf("%s: got %v, want nil", name, err)
		}
	}
	if got := fault.Status(nil); got != 200 {
		t.Errorf("Status(nil): got %d, want 200", got)
	}
	if got := fault.Decide(nil); got != (fault.Decision{Action: fault.Done}) {
		t.Errorf("Decide(nil): got %v, want done", got)
	}
}

func TestExtra(t *testing.T) {
	t.Parallel()
	given := map[string]any{"limit": 5, "used": 5}
	inner := fault.With(fault.New(fault.Conflict, "window-closed", ""), given)
	given["limit"] = 9
	outer := fault.With(inner, map[string]any{"used": 6})
	got := fault.Extra(outer)
	if diff := cmp.Diff(map[string]any{"limit": 5, "used": 6}, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	got["limit"] = 1
	if diff := cmp.Diff(map[string]any{"limit": 5, "used": 6}, fault.Extra(outer)); diff != "" {
		t.Errorf("after a change by the reader, want -, got +:\n%s", diff)
	}
	if got := fault.Extra(fault.Wrap(fault.Internal, "", inner)); got != nil {
		t.Errorf("below an outer verdict: got %v, want nil", got)
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		err  error
		want string
	}{
		{fault.New(fault.Conflict, "already-taken", "Another agent has it."), "conflict already-taken: Another agent has it."},
		{fault.New(fault.NotFound, "not-found", ""), "not-found"},
		{fault.WithStatus(fault.Wrap(fault.Unavailable, "", errDial), 502), "unavailable: dial tcp: connection refused"},
		{fault.Denied, "denied"},
	} {
		if got := tc.err.Error(); got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
}
