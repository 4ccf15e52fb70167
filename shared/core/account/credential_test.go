package account

import (
	"fmt"
	"strings"
	"testing"

	"kefu/shared/core/fault"
)

func TestCredential(t *testing.T) {
	t.Parallel()
	of := func(id string, secret Secret) Credential {
		t.Helper()
		c, err := NewCredential(id, secret)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	a := of("wx1", "secret-of-the-shop")
	if b, err := (Account{AppID: "wx1", AppSecret: "secret-of-the-shop"}).Credential(); err != nil || a != b {
		t.Errorf("of the account: got %v, %v; want the same credential", b, err)
	}
	for _, other := range []Credential{of("wx1", "secret"), of("wx1s", "ecret-of-the-shop"), of("wx", "1secret-of-the-shop"), of("wx2", "secret-of-the-shop")} {
		if other == a || other.Key() == a.Key() {
			t.Errorf("%v and %v are the same; want two", other, a)
		}
		if strings.TrimPrefix(other.Key(), other.ID()) == strings.TrimPrefix(a.Key(), a.ID()) {
			t.Errorf("the proofs of %v and %v are the same; want one for each id", other, a)
		}
	}
	for _, shown := range []string{a.Key(), a.ID(), fmt.Sprintf("%+v %#v", a, a)} {
		if strings.Contains(shown, "secret-of-the-shop") {
			t.Errorf("%s shows the secret", shown)
		}
	}
	if !strings.HasPrefix(a.Key(), "wx1/") || a.Key() == "wx1/" {
		t.Errorf("got key %q; want the app id and a proof", a.Key())
	}
	if _, err := NewCredential("wx1", ""); fault.KindOf(err) != fault.Invalid || fault.CodeOf(err) != "secret-missing" {
		t.Errorf("without a secret: got %v; want Invalid secret-missing", err)
	}
}
