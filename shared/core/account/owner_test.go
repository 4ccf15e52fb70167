package account

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"
	"testing/iotest"

	"kefu/shared/core/fault"
)

func TestOwner(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		a, b      Owner
		is, maybe bool
	}{
		{"the same", Owner{"red", "i1"}, Owner{"red", "i1"}, true, true},
		{"made again", Owner{"red", "i1"}, Owner{"red", "i2"}, false, false},
		{"another tenant's", Owner{"red", "i1"}, Owner{"blue", "i2"}, false, false},
		{"another tenant's of one name", Owner{"red", "i1"}, Owner{"blue", "i1"}, false, false},
		{"of an earlier version", Owner{}, Owner{"red", ""}, true, true},
		{"of an earlier version, with its tenant", Owner{"red", ""}, Owner{"red", ""}, true, true},
		{"of an earlier version, the id another's by now", Owner{"red", ""}, Owner{"blue", ""}, false, false},
		{"of an earlier version, the account made since", Owner{}, Owner{"red", "i1"}, false, true},
		{"tenant alone", Owner{"red", ""}, Owner{"red", "i1"}, false, true},
		{"another tenant alone", Owner{"red", ""}, Owner{"blue", "i1"}, false, false},
		{"of a later version", Owner{"red", "i1"}, Owner{"red", ""}, false, false},
	} {
		if got := tt.a.Is(tt.b); got != tt.is {
			t.Errorf("%s: Is is %t, want %t", tt.name, got, tt.is)
		}
		if tt.a.Is(tt.b) != tt.b.Is(tt.a) {
			t.Errorf("%s: Is depends on the order", tt.name)
		}
		if got := tt.a.MayBe(tt.b); got != tt.maybe {
			t.Errorf("%s: MayBe is %t, want %t", tt.name, got, tt.maybe)
		}
	}
}

func TestIncarnationAndScope(t *testing.T) {
	t.Parallel()
	one, err := NewIncarnation(rand.Reader)
	two, err2 := NewIncarnation(rand.Reader)
	if err != nil || err2 != nil || one == two || len(one) != 12 || !ValidID(string(one)) {
		t.Errorf("got %q, %v and %q, %v; want two of 12 letters and digits", one, err, two, err2)
	}
	if _, err := NewIncarnation(iotest.ErrReader(errors.New("dry"))); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("without randomness: got %v; want Unavailable", err)
	}
	if _, err := NewIncarnation(bytes.NewReader(make([]byte, 7))); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("with too little randomness: got %v; want Unavailable", err)
	}
	scopes := map[Scope]bool{}
	for _, id := range []ID{"shop", "shop-i1", "shopi1"} {
		for _, i := range []Incarnation{"", "i1", "1"} {
			scopes[Account{ID: id, Incarnation: i}.Scope()] = true
		}
	}
	if len(scopes) != 9 || !scopes["shop"] {
		t.Errorf("got %v; want nine scopes, and the id for an account without an incarnation", scopes)
	}
}
