// Package bolt is the embedded engine: the store and the queues of a whole deployment in one bbolt file, with the
// bytes of pictures, voices and videos as files beside it.
//
// Call [Open] first, then [DB.Store] for the store and [DB.Queue] for each queue; [DB.Close] when all is over. The
// contracts are those of package porttest (Store and Queue), whose suites this package's tests run.
//
// How it works. All changes go through one goroutine that puts up to 128 of them into one bbolt transaction, so that
// a hundred callers share one fsync; nothing waits for a timer. A change that fails its condition does so before it
// writes, and its neighbours never notice. Reads run beside that in transactions of their own. A call that returned
// nil is on the disk: a process that is killed at any moment loses nothing that it acknowledged.
//
// One process at a time: the file is locked while it is open.
package bolt
