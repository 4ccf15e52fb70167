package kmsfake

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
)

// Region and Account are used where Options has none.
const (
	Region  = "us-east-1"
	Account = "000000000000"
)

// maxRequest is the longest request that is read; KMS's own limits are lower.
const maxRequest = 64 << 10

// Options says which KMS it is.
type Options struct {
	// Keys are the ids of the keys that exist, such as "local" or "alias/kefu".
	Keys []string
	// Region and Account are part of the keys' names. Empty: the constants.
	Region, Account string
	// Master is what everything is encrypted with. All zero: a random one, and nothing outlives the process.
	Master [32]byte
}

// Fake is one region of KMS.
type Fake struct {
	region, account string
	master          [32]byte

	mu     sync.Mutex
	states map[string]State // by key id
	faults []*activeFault
	calls  map[string]int // by operation, also the failed ones
}

// New returns a KMS with its keys enabled.
func New(o Options) *Fake {
	f := &Fake{region: o.Region, account: o.Account, master: o.Master, states: map[string]State{}, calls: map[string]int{}}
	if f.region == "" {
		f.region = Region
	}
	if f.account == "" {
		f.account = Account
	}
	if f.master == [32]byte{} {
		_, _ = rand.Read(f.master[:]) // never fails, by its documentation
	}
	for _, id := range o.Keys {
		f.states[id] = Enabled
	}
	return f
}

// Calls returns how often an operation was asked for, "GenerateDataKey" or "Decrypt", the failed requests and their
// repetitions included.
func (f *Fake) Calls(operation string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[operation]
}

// ServeHTTP answers one request.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	operation, known := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "TrentService.")
	hit := f.count(operation)
	var answer any
	err := f.checkSignature(r)
	switch {
	case err != nil:
	case !known || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-amz-json-1.1":
		err = &failure{Name: "UnknownOperationException"}
	case hit != nil && !hit.Lose:
		err = &failure{Name: hit.Error, Message: "injected"}
	default:
		answer, err = f.perform(operation, r.Body)
	}
	if hit != nil && hit.Lose {
		panic(http.ErrAbortHandler)
	}
	write(w, answer, err)
}

// perform carries an operation out.
func (f *Fake) perform(operation string, body io.Reader) (any, error) {
	raw, err := io.ReadAll(io.LimitReader(body, maxRequest))
	if err != nil {
		return nil, err
	}
	switch operation {
	case "GenerateDataKey":
		return perform(raw, f.generate)
	case "Decrypt":
		return perform(raw, f.decrypt)
	default:
		return nil, &failure{Name: "UnknownOperationException"}
	}
}

func perform[In, Out any](raw []byte, do func(In) (*Out, error)) (any, error) {
	var in In
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, &failure{Name: "SerializationException", Message: "the request is not the JSON that it should be"}
	}
	return do(in)
}

// checkSignature wants one that is made for this service and region.
func (f *Fake) checkSignature(r *http.Request) error {
	auth := r.Header.Get("Authorization")
	switch {
	case auth == "":
		return &failure{Name: "MissingAuthenticationTokenException", Message: "Missing Authentication Token"}
	case !strings.HasPrefix(auth, "AWS4-HMAC-SHA256 ") || !strings.Contains(auth, "Signature=") || r.Header.Get("X-Amz-Date") == "":
		return &failure{Name: "IncompleteSignatureException"}
	case !strings.Contains(auth, "/"+f.region+"/kms/aws4_request"):
		return &failure{Name: "InvalidSignatureException", Message: "Credential should be scoped to a valid region."}
	default:
		return nil
	}
}

// failure is an error of KMS, by its name.
type failure struct {
	Name    string `json:"__type"`
	Message string `json:"message,omitempty"`
}

func (f *failure) Error() string { return f.Name + ": " + f.Message }

// status is 400 for all but the failures of KMS itself.
func (f *failure) status() int {
	switch f.Name {
	case "DependencyTimeoutException", "ServiceUnavailableException":
		return http.StatusServiceUnavailable
	case "KMSInternalException", "KeyUnavailableException", "InternalFailure":
		return http.StatusInternalServerError
	default:
		return http.StatusBadRequest
	}
}

func write(w http.ResponseWriter, answer any, err error) {
	status := http.StatusOK
	if err != nil {
		fail, ok := err.(*failure) //nolint:errorlint // made here, never wrapped
		if !ok {
			fail = &failure{Name: "KMSInternalException", Message: err.Error()}
		}
		answer, status = fail, fail.status()
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-Requestid", "00000000-0000-4000-8000-000000000000")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // a client that is gone needs no answer
}
