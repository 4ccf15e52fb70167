package account

import (
	"encoding/base32"
	"io"
	"strings"

	"kefu/shared/core/fault"
	"kefu/shared/core/tenant"
)

// Incarnation tells an account from every other one that had its id, or will have it. It is made with the account, stays
// when the account is replaced, and is another after the account was deleted and made again. An account that a version
// without incarnations made has none, and keeps none.
type Incarnation string

// NewIncarnation makes one of 60 random bits: the few accounts that ever share an id never share it. Random is
// crypto/rand's Reader; when it fails the error is Unavailable.
func NewIncarnation(random io.Reader) (Incarnation, error) {
	b := make([]byte, 8)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fault.Wrap(fault.Unavailable, "no-randomness", err)
	}
	return Incarnation(strings.ToLower(base32.StdEncoding.EncodeToString(b)[:12])), nil
}

// Owner says whose something is that is kept, or under way, under an account's id: an id may have other owners later,
// whom it is none of the business of. What an earlier version wrote says nothing of its incarnation, and perhaps of its
// tenant.
type Owner struct {
	Tenant      tenant.ID   `json:"tenant,omitempty"`
	Incarnation Incarnation `json:"inc,omitempty"`
}

// Owner is whose what the account makes now is.
func (a Account) Owner() Owner { return Owner{a.Tenant, a.Incarnation} }

// Is reports whether both are the same owner. Without an incarnation it is an account without one; a tenant that is not
// said is any.
func (o Owner) Is(other Owner) bool {
	return o.Incarnation == other.Incarnation && (o.Tenant == other.Tenant || o.Tenant == "" || other.Tenant == "")
}

// MayBe is [Owner.Is] for hints, which bring nothing along: what is not said may be any.
func (o Owner) MayBe(other Owner) bool {
	return o.Incarnation == "" && (o.Tenant == other.Tenant || o.Tenant == "") || o.Is(other)
}

// Scope names an account together with its incarnation. What outlives an account is kept under it rather than under the
// id, so that nobody who has the id later finds it.
type Scope string

// ScopeOf is the scope of an id in an incarnation; without one it is the id. No id has a dot in it.
func ScopeOf(id ID, i Incarnation) Scope {
	if i == "" {
		return Scope(id)
	}
	return Scope(id) + "." + Scope(i)
}

// Scope is the account's.
func (a Account) Scope() Scope { return ScopeOf(a.ID, a.Incarnation) }
