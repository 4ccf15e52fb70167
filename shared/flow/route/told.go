package route

import (
	"context"
	"fmt"

	"kefu/shared/core/session"
	"kefu/shared/shell"
)

// tell tells each of those who still wait his place in the queue, unless he has been
// told. Who came outside the service hours was told that instead.
func (s *shift) tell(ctx context.Context, q *queue) error {
	rules := session.RulesOf(q.account)
	for i := 0; ; i++ {
		w, ok, err := q.at(ctx, i)
		if err != nil || !ok {
			return err
		}
		if !w.Untold(rules) {
			continue
		}
		_, err = s.Shell.DoFor(ctx, w.ID, w.Ref(), rules, nil, session.Told{Position: i + 1})
		if shell.Unseated(err) {
			continue // he waits no longer
		}
		if err != nil {
			return fmt.Errorf("tell the place: %w", err)
		}
		s.told++
	}
}
