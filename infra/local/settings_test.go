package main

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kefu/infra/local/lambda"
	"kefu/shared/faas/faastest"
)

// needed are the settings without which a function can't do its work.
var needed = map[string][]string{
	"callback": {"KEFU_TABLE", "KEFU_QUEUE_INBOUND", "KEFU_KMS_KEY", "AWS_REGION"},
	"ingest":   {"KEFU_TABLE", "KEFU_QUEUE_ROUTE", "KEFU_QUEUE_OUTBOUND", "AWS_ACCESS_KEY_ID"},
	"router":   {"KEFU_TABLE", "KEFU_QUEUE_ROUTE", "KEFU_QUEUE_OUTBOUND", "KEFU_QUEUE_HOOKS", "KEFU_KMS_KEY"},
	"sender":   {"KEFU_TABLE", "KEFU_QUEUE_OUTBOUND", "KEFU_KMS_KEY"},
	"webhook":  {"KEFU_TABLE", "KEFU_QUEUE_HOOKS", "KEFU_KMS_KEY"},
	"expiry":   {"KEFU_TABLE", "KEFU_QUEUE_ROUTE", "KEFU_QUEUE_OUTBOUND"},
	"api":      {"KEFU_TABLE", "KEFU_KMS_KEY", "KEFU_ADMIN_KEY_SHA256", "KEFU_QUEUE_OUTBOUND"},
}

// wrongSettings: a function without a setting answers every call with an error that names it; its process stays.
func wrongSettings(t *testing.T, w sky) {
	for function, names := range needed {
		for _, name := range names {
			t.Run(function+" without "+name, func(t *testing.T) {
				t.Parallel()
				settings := map[string]string{
					"KEFU_ENGINE": "aws", "KEFU_TABLE": "t", "KEFU_KMS_KEY": "k", "KEFU_ADMIN_KEY_SHA256": strings.Repeat("0", 64),
					"KEFU_QUEUE_INBOUND": "http://127.0.0.1:9/1/q.fifo", "KEFU_QUEUE_ROUTE": "http://127.0.0.1:9/1/r",
					"KEFU_QUEUE_OUTBOUND": "http://127.0.0.1:9/1/o", "KEFU_QUEUE_HOOKS": "http://127.0.0.1:9/1/h.fifo", "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
					"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
				}
				delete(settings, name)
				f := lambda.New(lambda.Options{Name: function, Binary: filepath.Join(w.binaries, function), Env: environ(settings)})
				defer f.Close()
				for range 2 {
					_, err := f.Invoke(t.Context(), []byte(`{"Records":[]}`))
					var reported *faastest.FunctionError
					if !errors.As(err, &reported) || !strings.Contains(reported.Message, name) {
						t.Errorf("got %v, want a reported error that names %s", err, name)
					}
				}
				if n := f.Running(); n != 1 {
					t.Errorf("got %d processes, want the one, still", n)
				}
			})
		}
	}
}

// noTable: with the name of a table that isn't there the log says so, and the message stays in its queue.
func noTable(t *testing.T, w sky) {
	o := w.options(t)
	l, c := w.start(t, o, impatient)
	settings := maps.Clone(c.stack.Env())
	settings["KEFU_TABLE"] = "not-there"
	if err := c.functions["ingest"].Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.functions["ingest"].Resume(environ(settings))
	mei := l.platform.Named(l.demo.Accounts[0].AppID, "Mei 梅")
	say(t, mei, "anybody there?")
	if err := until(t.Context(), "the log names the setting", func() (bool, error) {
		text, err := os.ReadFile(o.logs.Name())
		return strings.Contains(string(text), "KEFU_TABLE names no table"), err
	}); err != nil {
		t.Fatal(err)
	}
	if n, err := c.stack.Inbound.Depth(t.Context()); err != nil || n != 1 {
		t.Errorf("the queue: got %d messages, %v, want the one", n, err)
	}
	// With the right name it is worked on.
	if err := c.functions["ingest"].Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.functions["ingest"].Resume(c.env(deployment[1]))
	l.wantTexts(t, mei, "anybody there?")
}
