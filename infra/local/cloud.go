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
	"strconv"
	"strings"
	"time"

	"kefu/infra/emulator/engine"
	"kefu/infra/local/lambda"
	"kefu/infra/local/stack"
	"kefu/shared/faas"
)

// cloudOptions choose the engine aws: the functions as they ship, each in processes of its own, on engines that
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
		fmt.Fprintln(os.Stderr, "building the functions into", binaries)
		if err := buildFunctions(ctx, binaries); err != nil {
			return c, err
		}
	}
	name := o.cloud.name
	if name == "" {
		name = "kefu-local"
	}
	made, err := stack.Make(ctx, stack.Options{
		Name: name, DynamoDB: c.engines.DynamoDB, SQS: c.engines.SQS, S3: c.engines.S3, Visibility: o.cloud.visibility,
	})
	if err != nil {
		return c, err
	}
	c.stack = made
	err = c.startFunctions(ctx, binaries)
	return c, err
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

// buildFunctions builds the functions, and more main packages if they are named.
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
	queues := map[string]*stack.Queue{"inbound": c.stack.Inbound, "route": c.stack.Route, "outbound": c.stack.Outbound, "hooks": c.stack.Hooks}
	var consumers []*consumer
	for _, d := range deployment {
		f := lambda.New(lambda.Options{
			Name: "kefu-local-" + d.name, Binary: filepath.Join(binaries, d.name), Env: c.env(d),
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
func (c *cloud) env(d deployed) []string {
	all := c.stack.Env()
	all["KEFU_WECHAT_URL"], all["KEFU_LOG_LEVEL"] = c.o.config.WeChatURL, c.o.config.LogLevel.String()
	sum := sha256.Sum256([]byte(c.key))
	all["KEFU_ADMIN_KEY_SHA256"] = hex.EncodeToString(sum[:])
	d.keep(all)
	// What stands in for the business's software is on this machine, too.
	all["KEFU_PRIVATE_HOOKS"] = strconv.FormatBool(c.o.config.PrivateHooks)
	if ahead := time.Duration(c.o.clock.offset.Load()); ahead != 0 {
		all["KEFU_CLOCK_OFFSET"] = ahead.String()
	}
	return environ(all)
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
	var held []deployed
	defer func() {
		for _, d := range held {
			c.functions[d.name].Resume(c.env(d))
		}
	}()
	for _, d := range deployment {
		if err := c.functions[d.name].Drain(ctx); err != nil {
			return err
		}
		held = append(held, d)
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
	if c.stack != nil && c.own {
		err = c.stack.Close()
	} else if c.stack != nil {
		err = c.stack.Remove(context.Background())
	}
	if c.own {
		c.engines.Stop() // and all that is in them
	}
	return err
}
