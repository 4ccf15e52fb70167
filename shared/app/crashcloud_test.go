package app_test

import "testing"

// TestCrashAnywhereInCloud is TestCrashAnywhere with the store in DynamoDB.
func TestCrashAnywhereInCloud(t *testing.T) { crashAnywhere(t, openDynamo) }
