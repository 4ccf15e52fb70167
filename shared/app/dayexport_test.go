package app

// Rewire lets a test stand between a system and its engine: what store and queue return takes the place of what they get.
// Handlers that were built before keep the old.
func Rewire(s *System, store func(Store) Store, queue func(Queue) Queue) {
	s.store = store(s.store)
	q := s.queues
	s.queues = Queues{Inbound: queue(q.Inbound), Route: queue(q.Route), Outbound: queue(q.Outbound), Hooks: queue(q.Hooks)}
	s.shell.Store, s.shell.Route, s.shell.Outbound, s.shell.Hooks = s.store, s.queues.Route, s.queues.Outbound, s.queues.Hooks
}
