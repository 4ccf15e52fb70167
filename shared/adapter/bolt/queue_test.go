package bolt_test

import (
	"testing"

	"kefu/shared/adapter/bolt"
	"kefu/shared/porttest"
)

func TestQueue(t *testing.T) {
	t.Parallel()
	porttest.TestQueue(t, porttest.Queues{
		Open: func(t *testing.T, o porttest.QueueSetup) porttest.Queue {
			return open(t, bolt.Options{Now: o.Now}).Queue("q", bolt.QueueOptions{Visibility: o.Visibility, MaxReceives: o.MaxReceives})
		},
	})
}
