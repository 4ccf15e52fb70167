package engine

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// The engines themselves, as `make test` has fetched them: by themselves here, with nobody else's data.
func TestRealEngines(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts Java")
	}
	cache := t.TempDir()
	for _, name := range []string{dynamoName, fauxqsName()} {
		at, err := filepath.Abs(filepath.Join("..", "..", "..", DefaultCache, name))
		if err != nil {
			t.Fatal(err)
		}
		if !exists(at) {
			unavailable(t, name+" is not fetched: `make test` does it")
		}
		if err := os.Symlink(at, filepath.Join(cache, name)); err != nil {
			t.Fatal(err)
		}
	}
	e, err := Start(t.Context(), Options{Cache: cache})
	if errors.Is(err, ErrUnavailable) {
		unavailable(t, err.Error())
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, logs(t, cache))
	}
	t.Cleanup(e.Stop)
	if err := dynamoDB("", "").ask(t.Context(), e.DynamoDB); err != nil {
		t.Errorf("DynamoDB: got %v, want an answer", err)
	}
	if err := sqs("", "").ask(t.Context(), e.SQS); err != nil {
		t.Errorf("SQS: got %v, want an answer", err)
	}
	e.Stop()
	if err := dynamoDB("", "").ask(t.Context(), e.DynamoDB); err == nil {
		t.Error("DynamoDB answers after Stop")
	}
}

// unavailable skips, and fails where CI is "true": there a test that can't run is no test.
func unavailable(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}
