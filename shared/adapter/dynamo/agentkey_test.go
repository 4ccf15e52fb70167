package dynamo

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
)

// TestDeleteAgentStopsAnywhere breaks the deletion of an agent with many keys off at each of its requests. The agent
// must be there as long as a key is, so that repeating the call removes both.
func TestDeleteAgentStopsAnywhere(t *testing.T) {
	t.Parallel()
	const keys = keysAtOnce + 1
	for stop := 1; ; stop++ {
		s := newStore(t)
		ctx := t.Context()
		_, err := s.PutAgent(ctx, anAgent("t", "li"))
		must(t, err)
		for i := range keys {
			must(t, s.PutKey(ctx, aKey("t", "li", fmt.Sprint("k", i))))
		}
		must(t, s.PutKey(ctx, aKey("t", "li2", "other")))
		sent := 0
		f := &flaky{spoil: func(string, int) mishap {
			if sent++; sent >= stop {
				return refusal(400, "AccessDeniedException")
			}
			return mishap{}
		}}
		broken := newStore(t, onTable(s), through(f)).DeleteAgent(ctx, "t", "li")
		left := -1 // of the other agent
		for _, it := range scan(t, s) {
			if strings.HasPrefix(readText(it[attrPK]), apiKeyKey("").pk) {
				left++
			}
		}
		if _, err := s.Agent(ctx, "t", "li"); left > 0 && err != nil {
			t.Fatalf("broken off at request %d: got %d keys left and %v; want the agent until the last key has gone", stop, left, err)
		}
		if broken == nil {
			if stop < 4 {
				t.Errorf("got %d requests; want one to look, one for the names, and some to delete", stop-1)
			}
			return
		}
		must(t, s.DeleteAgent(ctx, "t", "li"))
		if n := len(scan(t, s)); n != 2 {
			t.Fatalf("broken off at request %d and repeated: got %d items; want the other agent's key and its entry", stop, n)
		}
	}
}

// TestKeyOfAnyLength: an id comes from whoever calls.
func TestKeyOfAnyLength(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	ctx := t.Context()
	long := fmt.Sprintf("%05000d", 1)
	for _, id := range []string{"k", long, "K#k", "li/k"} {
		must(t, s.PutKey(ctx, aKey("t", "li", id)))
	}
	for _, id := range []string{"k", long, "K#k", "li/k"} {
		k, err := s.Key(ctx, id)
		must(t, err)
		if k != aKey("t", "li", id) {
			t.Errorf("got key of %d characters; want that of %d", len(k.ID), len(id))
		}
	}
	must(t, s.DeleteKey(ctx, "t", "li", long))
	_, err := s.PutAgent(ctx, anAgent("t", "li"))
	must(t, err)
	must(t, s.DeleteAgent(ctx, "t", "li"))
	if n := len(scan(t, s)); n != 0 {
		t.Errorf("got %d items after the agent's end; want none", n)
	}
	_, err = s.Key(ctx, long+long)
	wantKind(t, "Key", err, fault.NotFound, "")
}

// TestAgentsBeyondAPage has more than DynamoDB gives in one answer (1 MB).
func TestAgentsBeyondAPage(t *testing.T) {
	t.Parallel()
	queries := 0
	s := newStore(t, func(_ *aws.Config, o *Options) {
		o.Meter = func(u Usage) {
			if u.Op == "Query" {
				queries++
			}
		}
	})
	const agents = 40
	for i := range agents {
		a := anAgent("t", agent.ID(fmt.Sprintf("a%02d", i)), "shop")
		for j := range 999 {
			a.Accounts = append(a.Accounts, account.ID(fmt.Sprintf("%x", sha256.Sum256([]byte{byte(i), byte(j), byte(j >> 8)}))))
		}
		_, err := s.PutAgent(t.Context(), a)
		must(t, err)
	}
	bound, err := s.AgentsOf(t.Context(), "t", "shop")
	must(t, err)
	if queries < 2 {
		t.Errorf("got %d queries; want several, or this test is about nothing", queries)
	}
	listed, next, err := s.Agents(t.Context(), "t", "", agents-1)
	must(t, err)
	if len(bound) != agents || len(listed) != agents-1 || next == "" {
		t.Errorf("got %d bound, %d listed, cursor %q; want %d, %d and a cursor", len(bound), len(listed), next, agents, agents-1)
	}
	listed, next, err = s.Agents(t.Context(), "t", next, agents-1)
	must(t, err)
	if len(listed) != 1 || next != "" {
		t.Errorf("second page: got %d listed, cursor %q; want 1 and none", len(listed), next)
	}
}
