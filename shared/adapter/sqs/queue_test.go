package sqs_test

import (
	"testing"
	"time"

	"kefu/shared/adapter/sqs"
	"kefu/shared/porttest"
)

var _ porttest.Queue = (*sqs.Queue)(nil)

// onePerGroup is why some clauses are nothing for the emulator.
const onePerGroup = "the emulator hands out one message of a group and receive, so that of a group's dead letters only the first is seen"

func TestOrderedQueue(t *testing.T) {
	t.Parallel()
	e := emulator(t)
	porttest.TestQueue(t, porttest.Queues{
		Open: func(t *testing.T, o porttest.QueueSetup) porttest.Queue {
			return e.open(t, true, o, &wire{})
		},
		RealClock: true,
		NoDelay:   true,
		Skip:      map[string]string{"Redrive sends named dead letters as new messages": onePerGroup},
	})
}

func TestStandardQueue(t *testing.T) {
	t.Parallel()
	e := emulator(t)
	porttest.TestQueue(t, porttest.Queues{
		Open: func(t *testing.T, o porttest.QueueSetup) porttest.Queue {
			return e.open(t, false, o, &wire{})
		},
		RealClock: true,
		Lag:       50 * time.Millisecond,
		Unordered: true,
	})
}
