package app_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"kefu/shared/app"
	"kefu/shared/faas"
)

// What each function asks of AWS is kept in a file, from which infra/aws checks that its role allows it.
const usesFile = "../../infra/aws/testdata/uses.txt"

var updateUses = flag.Bool("update-uses", false, "rewrite the list of what each function asks of AWS")

// uses collects calls, each as "function service:Action resource".
type uses struct {
	mu  sync.Mutex
	all map[string]bool
}

var seenUses = &uses{all: map[string]bool{}}

func (u *uses) add(function, action, resource string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.all[function+" "+action+" "+resource] = true
}

// apart gives each function a system of its own, as in a cloud, with the settings that its role goes with.
func (r *rig) apart() {
	r.t.Helper()
	for _, f := range []struct {
		name, handler string
		make          func(*app.System) faas.Handler
	}{
		{"callback", "callback", (*app.System).Callback},
		{"api", "api", (*app.System).API},
		{"ingest", "inbound", (*app.System).Ingest},
		{"router", "route", (*app.System).Router},
		{"sender", "outbound", (*app.System).Sender},
		{"webhook", "hooks", (*app.System).Webhook},
		{"expiry", "expiry", (*app.System).Expiry},
	} {
		c := app.Wired(r.config, func(next http.RoundTripper) http.RoundTripper {
			return listener{function: f.name, uses: seenUses, next: next}
		})
		if !slices.Contains([]string{"callback", "api", "router", "sender", "webhook"}, f.name) {
			c.SecretKey = "" // the others have no key to the secrets
		}
		s, err := app.Open(c)
		if err != nil {
			r.t.Fatal(err)
		}
		r.handlers[f.handler] = f.make(s)
	}
}

// listener notes what a function asks of AWS.
type listener struct {
	function string
	*uses
	next http.RoundTripper
}

func (l listener) RoundTrip(req *http.Request) (*http.Response, error) {
	target := req.Header.Get("X-Amz-Target")
	service, action, api := strings.Cut(target, ".")
	switch {
	case api && strings.HasPrefix(service, "DynamoDB"):
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		l.table(action, body)
	case api && service == "AmazonSQS":
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		var in struct {
			QueueURL string `json:"QueueUrl"`
		}
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(in.QueueURL[strings.LastIndexByte(in.QueueURL, '-')+1:], ".fifo")
		l.add(l.function, "sqs:"+strings.TrimSuffix(action, "Batch"), name)
	case !api:
		parts := strings.SplitN(strings.Trim(req.URL.Path, "/"), "/", 3)
		if len(parts) > 1 {
			l.add(l.function, "s3:"+map[string]string{"GET": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}[req.Method], parts[1]+"/")
		}
	}
	return l.next.RoundTrip(req)
}

// table notes a call of DynamoDB by the permissions that it needs: a transaction needs those of its parts.
func (l listener) table(action string, body []byte) {
	var in struct {
		IndexName     string
		TransactItems []map[string]json.RawMessage
	}
	_ = json.Unmarshal(body, &in) // what can't be read has no parts
	on := "table"
	if in.IndexName != "" {
		on = "index"
	}
	if action != "TransactWriteItems" {
		l.add(l.function, "dynamodb:"+action, on)
		return
	}
	for _, part := range in.TransactItems {
		for name := range part {
			if name == "ConditionCheck" {
				name = "ConditionCheckItem"
			} else {
				name += "Item"
			}
			l.add(l.function, "dynamodb:"+name, "table")
		}
	}
}

// checkUses compares what was asked with the file. It is right only when every scenario has been played.
func checkUses(t *testing.T) {
	t.Helper()
	seenUses.mu.Lock()
	defer seenUses.mu.Unlock()
	var lines []string
	for line := range seenUses.all {
		lines = append(lines, line)
	}
	slices.Sort(lines)
	got := strings.Join(lines, "\n") + "\n"
	if *updateUses {
		if err := os.WriteFile(usesFile, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(usesFile)
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Split(strings.TrimSpace(string(want)), "\n")
	for _, line := range lines {
		if !slices.Contains(known, line) {
			t.Errorf("new: %s\nrun the test with -update-uses, and let the role in infra/aws/roles.yml allow it", line)
		}
	}
}
