package doctor

import (
	"context"
	"log/slog"
	"time"

	"kefu/shared/core/doctor"
)

// noteFor is how long noting one sighting may take: an answer to the platform, or the
// next push, may wait behind it.
const noteFor = 300 * time.Millisecond

// Noter notes sightings, at most every 15 seconds for each account and kind, so that
// neither a busy account nor an attacker who sends bad signatures costs more than that.
// Set its fields, use it by pointer, keep it for the life of the process. It may be used
// concurrently and starts nothing in the background.
type Noter struct {
	Store Store
	Now   func() time.Time
	Log   *slog.Logger

	limit limiter
}

// Note keeps a sighting, with those of its kind that were left out before. It takes 300
// ms at most; when it fails the sighting is lost, and a line is logged.
func (n *Noter) Note(ctx context.Context, s doctor.Sighting) {
	count, ok := n.limit.take(slot{s.Account, kindOf(s)}, n.Now())
	if !ok {
		return
	}
	s.Count = count
	// Whoever called may have left, as a scanner does.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteFor)
	defer cancel()
	if err := n.Store.NoteSighting(ctx, s); err != nil {
		n.Log.LogAttrs(ctx, slog.LevelWarn, "a sighting could not be noted",
			slog.String("account", string(s.Account)), slog.String("cause", err.Error()))
	}
}

// kindOf tells apart what is worth a write of its own within that time. There are few,
// whatever anybody sends: reasons, modes and formats are closed sets.
func kindOf(s doctor.Sighting) string {
	switch {
	case s.Reason != "":
		return "refused " + string(s.Reason)
	case s.Check:
		return "check"
	}
	return "push " + string(s.Mode) + " " + string(s.Format)
}
