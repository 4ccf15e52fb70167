package main

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// deployed is a function as serverless.yml deploys it; a test compares them.
type deployed struct {
	name     string
	limit    time.Duration
	warm     int      // processes that are started ahead
	most     int      // processes at most
	queue    string   // the queue that it works on
	batch    int      // messages of an event
	settings []string // of its own, besides sharedSettings and what Lambda sets
}

var deployment = []deployed{
	{
		name: "callback", limit: 10 * time.Second, warm: 2, most: 8,
		settings: []string{"KEFU_QUEUE_INBOUND", "KEFU_KMS_KEY"},
	},
	{
		name: "ingest", limit: 30 * time.Second, warm: 2, most: 6, queue: "inbound", batch: 1,
		settings: []string{"KEFU_QUEUE_INBOUND", "KEFU_QUEUE_ROUTE", "KEFU_QUEUE_OUTBOUND", "KEFU_QUEUE_HOOKS"},
	},
	{
		name: "router", limit: 30 * time.Second, warm: 1, most: 2, queue: "route", batch: 10,
		settings: []string{"KEFU_QUEUE_ROUTE", "KEFU_QUEUE_OUTBOUND", "KEFU_QUEUE_HOOKS", "KEFU_KMS_KEY"},
	},
	{
		name: "sender", limit: 120 * time.Second, warm: 2, most: 6, queue: "outbound", batch: 10,
		settings: []string{"KEFU_QUEUE_ROUTE", "KEFU_QUEUE_OUTBOUND", "KEFU_QUEUE_HOOKS", "KEFU_KMS_KEY"},
	},
	{
		name: "webhook", limit: 30 * time.Second, warm: 1, most: 4, queue: "hooks", batch: 1,
		settings: []string{"KEFU_QUEUE_HOOKS", "KEFU_KMS_KEY"},
	},
	{
		name: "expiry", limit: 120 * time.Second, warm: 1, most: 1,
		settings: []string{"KEFU_QUEUE_ROUTE", "KEFU_QUEUE_OUTBOUND", "KEFU_QUEUE_HOOKS"},
	},
	{
		name: "api", limit: 29 * time.Second, warm: 2, most: 8,
		settings: []string{"KEFU_QUEUE_ROUTE", "KEFU_QUEUE_OUTBOUND", "KEFU_QUEUE_HOOKS", "KEFU_KMS_KEY", "KEFU_ADMIN_KEY_SHA256"},
	},
}

// keep leaves of Kefu's settings those that the function is deployed with, and returns them.
func (d deployed) keep(settings map[string]string) map[string]string {
	maps.DeleteFunc(settings, func(name, _ string) bool {
		return strings.HasPrefix(name, "KEFU_") && !slices.Contains(sharedSettings, name) && !slices.Contains(d.settings, name)
	})
	return settings
}

// sharedSettings are those of every function.
var sharedSettings = []string{"KEFU_ENGINE", "KEFU_TABLE", "KEFU_BUCKET", "KEFU_WECHAT_URL", "KEFU_LOG_LEVEL"}
