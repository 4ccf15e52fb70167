package dynamo

import (
	"sync"

	"kefu/shared/core/session"
)

// stored is what a save must know of the version that it replaces.
type stored struct {
	version int64
	id      session.ID
	lists   string // digest of its place in the lists
}

func storedOf(v session.Session, in item) stored {
	return stored{version: v.Version, id: v.ID, lists: string(readBinary(in[attrLists]))}
}

// known remembers what this process has last seen of conversations, so that a save knows whether the lists change
// without reading. It may be wrong or forget at any time: each write carries what it relies on as a condition.
type known struct {
	mu       sync.Mutex
	sessions map[session.Ref]stored
	accounts map[string]bool // tenant/account: is among the accounts of its tenant
}

// Bounds of what is remembered, about half a megabyte.
const (
	knownSessions = 2048
	knownAccounts = 1024
)

func newKnown() *known {
	return &known{sessions: map[session.Ref]stored{}, accounts: map[string]bool{}}
}

// session tells what stands at a version, if it is remembered.
func (k *known) session(r session.Ref, version int64) (stored, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	v, ok := k.sessions[r]
	return v, ok && v.version == version
}

func (k *known) note(r session.Ref, v stored) {
	k.mu.Lock()
	defer k.mu.Unlock()
	makeRoom(k.sessions, r, knownSessions)
	k.sessions[r] = v
}

func (k *known) account(name string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.accounts[name]
}

func (k *known) noteAccount(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	makeRoom(k.accounts, name, knownAccounts)
	k.accounts[name] = true
}

// makeRoom forgets any one entry of a full map.
func makeRoom[K comparable, V any](m map[K]V, of K, most int) {
	if _, ok := m[of]; ok || len(m) < most {
		return
	}
	for old := range m {
		delete(m, old)
		return
	}
}
