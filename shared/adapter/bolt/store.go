package bolt

// Store is the whole store: who there is, conversations, the memory of pushes and calls, the platform's state, files.
// It implements the contract porttest.Store. All methods may be called concurrently.
type Store struct{ db *DB }

// Store returns the store of the file. It is cheap; all of them are the same.
func (d *DB) Store() *Store { return &Store{db: d} }
