package porttest

import (
	"os"
	"strings"
	"testing"
)

// Emulator gives the address of a local engine that stands in for a service of AWS ("dynamodb", "sqs" or "s3"):
// KEFU_TEST_DYNAMODB and so on, which `make test` sets after starting it. Without one the test is skipped, and
// where CI is "true" it fails: there a test that can't run is no test.
func Emulator(t testing.TB, service string) string {
	t.Helper()
	name := "KEFU_TEST_" + strings.ToUpper(service)
	if address := os.Getenv(name); address != "" {
		return address
	}
	const why = "%s is not set: `make test` starts the local engines (it needs Java and Node)"
	if os.Getenv("CI") == "true" {
		t.Fatalf(why, name)
	}
	t.Skipf(why, name)
	return ""
}
