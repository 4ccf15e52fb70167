package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kefu/infra/emulator/engine"
	"kefu/infra/local/lambda"
	"kefu/infra/local/stack"
	"kefu/shared/faas"
)

// cloudOptions choose the engine aws: the six functions as they ship, each in processes of its own, on engines that
// stand in for AWS. The zero value starts everything by itself.
type cloudOptions struct {
	engines  *engine.Engines // running already; nil: started, and ended with everything else
	binaries string          // folder of the built functions; empty: built
	name     string          // of table, queues and bucket; empty: kefu-local
	// visibility replaces that of infra/aws, for tests that can't wait.
	visibility time.Duration
	// hurry is what polled has.
	hurry func(queue string, m faas.Message) (time.Duration, bool)
	// logs get what the functions write; nil: nobody does.
	logs *os.File
}

// deployed is a function as serverless.yml deploys it; a test compares them.
type deployed struct {
	name  string
	limit time.Duration
	warm  int // processes that are started ahead
	most  int // processes at most
	queue string
	batch int // messages of an event
}

var deployment = []deployed{
	{name: "callback", limit: 10 * time.Second, warm: 2, most: 8},
	{name: "ingest", limit: 30 * time.Second, warm: 2, most: 6, queue: "inbound", batch: 1},
	{name: "router", limit: 30 * time.Second, warm: 1, most: 2, queue: "route", batch: 10},
	{name: "sender", limit: 120 * time.Second, warm: 2, most: 6, queue: "outbound", batch: 10},
	{name: "expiry", limit: 120 * time.Second, warm: 1, most: 1},
	{name: "api", limit: 29 * time.Second, warm: 2, most: 8},
}

// cloud runs the functions as AWS would.
type cloud struct {
	*server
	o         localOptions
	key       string
	engines   *engine.Engines
	own       bool // the engines are ours to end
	stack     *stack.Stack
	functions map[string]*lambda.Function
	stop      context.CancelFunc
}

// openCloud starts the engines, makes in them what infra/aws makes in an account, and starts the functions.
func openCloud(ctx context.Context, o localOptions) (c *cloud, err error) {
	c = &cloud{o: o, key: o.config.AdminKey.Reveal(), functions: map[string]*lambda.Function{}, stop: func() {}}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	if c.key == "" {
		c.key = "kfadmin_" + strings.ToLower(rand.Text()+rand.Text())
	}
	if err := c.startEngines(ctx); err != nil {
		return c, err
	}
	binaries := o.cloud.binaries
	if binaries == "" {
		binaries = functionsFolder
		if err := buildFunctions(ctx, binaries); err != nil {
			return c, err
		}
	}
	name := o.cloud.name
	if name == "" {
		name = "kefu-local"
	}
	if c.stack, err = stack.Make(ctx, stack.Options{
		Name: name, DynamoDB: c.engines.DynamoDB, SQS: c.engines.SQS, S3: c.engines.S3, Visibility: o.cloud.visibility,
	}); err != nil {
		c.stack = nil
		return c, err
	}
	return c, c.startFunctions(ctx, binaries)
}

func (c *cloud) startEngines(ctx context.Context) (err error) {
	if c.engines = c.o.cloud.engines; c.engines != nil {
		return nil
	}
	c.engines, err = engine.Start(ctx, engine.Options{Log: os.Stderr})
	if errors.Is(err, engine.ErrUnavailable) {
		return fmt.Errorf("%w (KEFU_ENGINE=aws needs Java, Node and npm; without that setting Kefu needs Go alone)", err)
	}
	c.own = err == nil
	return err
}

// functionsFolder is where run and demo build the functions, from the repository's root.
const functionsFolder = ".cache/functions"

// buildFunctions builds the six functions, and more main packages if they are named.
func buildFunctions(ctx context.Context, folder string, packages ...string) error {
	for _, d := range deployment {
		packages = append(packages, "kefu/functions/"+d.name)
	}
	return lambda.Build(ctx, folder, packages...)
}

// startFunctions starts the processes that are to be there from the beginning, and wires queues to functions.
func (c *cloud) startFunctions(ctx context.Context, binaries string) error {
	binaries, err := filepath.Abs(binaries)
	if err != nil {
		return err
	}
	queues := map[string]*stack.Queue{"inbound": c.stack.Inbound, "route": c.stack.Route, "outbound": c.stack.Outbound}
	var consumers []*consumer
	for _, d := range deployment {
		f := lambda.New(lambda.Options{
			Name: "kefu-local-" + d.name, Binary: filepath.Join(binaries, d.name), Env: c.env(d.name),
			Limit: d.limit, Max: d.most, Log: c.o.cloud.logs,
		})
		c.functions[d.name] = f
		if err := f.Warm(ctx, d.warm); err != nil {
			return fmt.Errorf("start %s: %w", d.name, err)
		}
		if d.queue == "" {
			continue
		}
		source := &polled{queue: queues[d.queue], batch: d.batch}
		if c.o.cloud.hurry != nil {
			source.hurry = func(m faas.Message) (time.Duration, bool) { return c.o.cloud.hurry(d.queue, m) }
		}
		consumers = append(consumers, &consumer{name: d.queue, source: source, handler: f.Invoke, workers: d.most})
	}
	c.server = newServer(c.o.clock, c.o.log, c.functions["callback"].Invoke, c.functions["api"].Invoke, c.functions["expiry"].Invoke, consumers...)
	ctx, c.stop = context.WithCancel(context.WithoutCancel(ctx))
	go c.watch(ctx)
	return nil
}

// watch ends the work when an engine has ended.
func (c *cloud) watch(ctx context.Context) {
	for pause(ctx, time.Second) == nil {
		if err := c.engines.Err(); err != nil {
			c.broken <- err
			return
		}
	}
}

// env is the whole environment of a function.
func (c *cloud) env(function string) []string {
	settings := c.stack.Env()
	settings["KEFU_WECHAT_URL"] = c.o.config.WeChatURL
	settings["KEFU_LOG_LEVEL"] = c.o.config.LogLevel.String()
	if function == "api" {
		sum := sha256.Sum256([]byte(c.key))
		settings["KEFU_ADMIN_KEY_SHA256"] = hex.EncodeToString(sum[:])
	}
	if ahead := time.Duration(c.o.clock.offset.Load()); ahead != 0 {
		settings["KEFU_CLOCK_OFFSET"] = ahead.String()
	}
	return environ(settings)
}

// environ writes settings as a process gets them.
func environ(settings map[string]string) []string {
	env := make([]string, 0, len(settings))
	for name, value := range settings {
		env = append(env, name+"="+value)
	}
	slices.Sort(env)
	return env
}

func (c *cloud) adminKey() string { return c.key }

// pass lets time pass at once: every process ends after its event, and new ones begin at the new time, with nothing in
// memory. What a queue delays comes when its real time is over.
func (c *cloud) pass(ctx context.Context, d time.Duration) error {
	var held []string
	defer func() {
		for _, name := range held {
			c.functions[name].Resume(c.env(name))
		}
	}()
	for _, f := range deployment {
		if err := c.functions[f.name].Drain(ctx); err != nil {
			return err
		}
		held = append(held, f.name)
	}
	c.o.clock.Forward(d)
	return nil
}

// kill ends all processes of all functions with SIGKILL, in the middle of what they do.
func (c *cloud) kill() {
	for _, f := range c.functions {
		f.Kill()
	}
}

// about says what runs.
func (c *cloud) about() string {
	processes := 0
	for _, f := range c.functions {
		processes += f.Running()
	}
	return fmt.Sprintf("It runs as in AWS: %d processes of %d functions on DynamoDB Local and an emulator of SQS and S3.", processes, len(c.functions))
}

// close ends the processes, and the engines if they are ours.
func (c *cloud) close() error {
	c.stop()
	for _, f := range c.functions {
		f.Close()
	}
	var err error
	switch {
	case c.own:
		c.engines.Stop() // and all that is in them
	case c.stack != nil:
		err = c.stack.Remove(context.Background())
	}
	return err
}
