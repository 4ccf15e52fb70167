package bolt_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"kefu/shared/adapter/bolt"
	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
)

var crashOptions = bolt.QueueOptions{Visibility: time.Hour}

// hammer is the child that gets killed: eight workers save sessions, put messages and files, send and ack, and say on
// standard output what was acknowledged, a line each.
func hammer(path string) int {
	db, err := bolt.Open(bolt.Options{Path: path, Key: [32]byte{1, 2, 3}})
	if err != nil {
		fmt.Fprintln(os.Stderr, "child: open:", err)
		return 1
	}
	var workers sync.WaitGroup
	var out sync.Mutex
	say := func(format string, args ...any) {
		out.Lock()
		defer out.Unlock()
		fmt.Printf(format+"\n", args...)
	}
	for w := range 8 {
		workers.Go(func() {
			if err := work(context.Background(), db, w, say); err != nil {
				fmt.Fprintln(os.Stderr, "child:", err)
				os.Exit(1)
			}
		})
	}
	workers.Wait()
	return 0
}

// work goes on until the process is killed. It begins where the worker of an earlier process left off.
func work(ctx context.Context, db *bolt.DB, w int, say func(string, ...any)) error {
	s, q := db.Store(), db.Queue("q", crashOptions)
	customer := account.Customer(fmt.Sprintf("o%d", w))
	cur, err := s.Session(ctx, "shop", customer)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return err
	}
	cur = session.Session{
		ID: session.ID(fmt.Sprintf("s%d", w)), Tenant: "t", Account: "shop", Customer: customer, Version: cur.Version, Seq: cur.Seq,
	}
	for {
		cur.Seq++
		cur.DueAt = start.Add(time.Duration(cur.Seq) * time.Second)
		cur.State = []session.State{session.Bot, session.Queued}[cur.Seq%2]
		if err := s.SaveSession(ctx, cur, cur.Version); err != nil {
			return err
		}
		cur.Version++
		say("session %s %d", customer, cur.Version)
		m := message.Message{ID: message.NewID(cur.ID, cur.Seq), N: cur.Seq, Session: cur.ID, Raw: make([]byte, 100*(cur.Seq%50))}
		if err := s.PutMessage(ctx, m); err != nil && !errors.Is(err, fault.Conflict) {
			return err
		}
		say("message %s", m.ID)
		body := fmt.Sprintf("%d/%d", w, cur.Seq)
		if err := q.Send(ctx, string(customer), 0, []byte(body)); err != nil {
			return err
		}
		say("sent %s", body)
		if cur.Seq%8 == 0 {
			if err := s.PutBlob(ctx, body, []byte("bytes of "+body)); err != nil {
				return err
			}
			say("blob %s", body)
		}
		if cur.Seq%2 == 0 {
			list, err := q.Receive(ctx, 3)
			if err != nil {
				return err
			}
			for _, d := range list {
				say("acking %s", d.Body) // from here on it may be gone
				if err := q.Ack(ctx, d.Receipt); err != nil {
					return err
				}
				say("acked %s", d.Body)
			}
		}
	}
}

// promises are what children acknowledged before they died.
type promises struct {
	versions              map[string]int64
	messages, blobs, sent map[string]bool
	acking, acked         map[string]bool
}

func (p *promises) note(t *testing.T, line string) {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "session":
		name, version, _ := strings.Cut(rest, " ")
		n, err := strconv.ParseInt(version, 10, 64)
		if err != nil {
			t.Fatalf("child said %q", line)
		}
		p.versions[name] = n
	case "message":
		p.messages[rest] = true
	case "blob":
		p.blobs[rest] = true
	case "sent":
		p.sent[rest] = true
	case "acking":
		p.acking[rest] = true
	case "acked":
		p.acked[rest] = true
	default:
		t.Fatalf("child said %q", line)
	}
}

// After a kill at any moment and opening again, nothing that was acknowledged is lost.
func TestKilledProcessLosesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "kefu.db")
	p := &promises{
		versions: map[string]int64{}, messages: map[string]bool{}, blobs: map[string]bool{}, sent: map[string]bool{},
		acking: map[string]bool{}, acked: map[string]bool{},
	}
	for range 4 {
		p.round(t, path, 200+rand.IntN(1500))
		p.check(t, path)
	}
	if len(p.sent) < 100 || len(p.acked) == 0 || len(p.blobs) == 0 {
		t.Fatalf("got %d sent, %d acked, %d files: the children did too little to prove anything", len(p.sent), len(p.acked), len(p.blobs))
	}
}

// round kills a child after it has said so many lines, and notes them all.
func (p *promises) round(t *testing.T, path string, lines int) {
	t.Helper()
	cmd := child(t, "hammer", path)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatalf("child: got error %v; want none", err)
	}
	n := 0
	for in := bufio.NewScanner(out); in.Scan(); n++ {
		if n == lines {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatalf("kill: got error %v; want none", err)
			}
		}
		if strings.Count(in.Text(), " ") == 0 {
			break // the last line, cut short
		}
		p.note(t, in.Text())
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.Exited() {
		t.Fatalf("child: got end %v after %d lines; want killed", err, n)
	}
}

// check opens the file as the next process would and compares it with the promises.
func (p *promises) check(t *testing.T, path string) {
	t.Helper()
	ctx := t.Context()
	db, err := bolt.Open(bolt.Options{Path: path, Key: [32]byte{1, 2, 3}})
	if err != nil {
		t.Fatalf("open after a kill: got error %v; want none", err)
	}
	s := db.Store()
	for name, version := range p.versions {
		v, err := s.Session(ctx, "shop", account.Customer(name))
		if err != nil || v.Version < version {
			t.Errorf("session of %s: got version %d, error %v; want at least %d", name, v.Version, err, version)
		}
		if byID, err := s.SessionByID(ctx, v.ID); err != nil || byID.Version != v.Version {
			t.Errorf("session %s by id: got version %d, error %v; want %d", v.ID, byID.Version, err, v.Version)
		}
	}
	refs, _, err := s.Due(ctx, start.Add(1000*time.Hour), "", 100)
	if err != nil || len(refs) != len(p.versions) {
		t.Errorf("due: got %d, error %v; want each of %d conversations once", len(refs), err, len(p.versions))
	}
	for id := range p.messages {
		if _, err := s.Message(ctx, message.ID(id)); err != nil {
			t.Errorf("message %s: got error %v; want none", id, err)
		}
	}
	for id := range p.blobs {
		if b, err := s.Blob(ctx, id); err != nil || string(b) != "bytes of "+id {
			t.Errorf("file %s: got %q, error %v; want its bytes", id, b, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatalf("close: got error %v; want none", err)
	}
	p.checkQueue(t, path)
}

// checkQueue works off a copy of the file in the far future, when all that was delivered is visible again: the next
// child goes on with the file as it was.
func (p *promises) checkQueue(t *testing.T, path string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("read: got error %v; want none", err)
	}
	image := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(image, raw, 0o600); err != nil {
		t.Fatalf("copy: got error %v; want none", err)
	}
	later := func() time.Time { return time.Now().Add(48 * time.Hour) }
	q := open(t, bolt.Options{Path: image, Now: later}).Queue("q", crashOptions)
	found, last := map[string]bool{}, map[string]int{}
	for {
		list, err := q.Receive(t.Context(), 500)
		if err != nil {
			t.Fatalf("receive: got error %v; want none", err)
		}
		if len(list) == 0 {
			break
		}
		var receipts []string
		for _, d := range list {
			found[string(d.Body)] = true
			_, number, _ := strings.Cut(string(d.Body), "/")
			n, err := strconv.Atoi(number)
			if err != nil || n <= last[d.Group] {
				t.Errorf("group %s: got %s after %d; want a later one", d.Group, d.Body, last[d.Group])
			}
			last[d.Group] = n
			receipts = append(receipts, d.Receipt)
		}
		if err := q.Ack(t.Context(), receipts...); err != nil {
			t.Fatalf("ack: got error %v; want none", err)
		}
	}
	for body := range p.sent {
		if !found[body] && !p.acking[body] {
			t.Errorf("message %s was acknowledged and is lost", body)
		}
	}
	for body := range p.acked {
		if found[body] {
			t.Errorf("message %s was acked and is back", body)
		}
	}
}
