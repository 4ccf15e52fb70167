package agent

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
)

// level is the least that a key must be to make a call.
type level int

const (
	anyone level = iota // open, without a key
	agents              // any key
	admins
	operator // the deployment's own key
)

// route is one call of the interface.
type route struct {
	method, path string
	op           string // operation id in openapi.json
	least        level
	takes        bodyKind
	secret       bool // the answer holds something that must not be kept
	do           func(*call) (answer, error)
}

// routes is the interface: what is not in here does not exist, and TestOpenAPI
// holds openapi.json to it.
var routes = []route{
	{"GET", "/v1/health", "getHealth", anyone, noBody, false, (*call).getHealth},
	{"GET", "/v1/openapi.json", "getOpenAPI", anyone, noBody, false, (*call).getOpenAPI},

	{"PUT", "/v1/tenants/{tenant}", "putTenant", operator, jsonBody, false, (*call).putTenant},
	{"GET", "/v1/tenants/{tenant}", "getTenant", operator, noBody, false, (*call).getTenant},
	{"POST", "/v1/tenants/{tenant}/keys", "createTenantKey", operator, noBody, true, (*call).createTenantKey},
	{"DELETE", "/v1/tenants/{tenant}/keys/{key}", "deleteTenantKey", operator, noBody, false, (*call).deleteTenantKey},

	{"GET", "/v1/accounts", "listAccounts", agents, noBody, false, (*call).listAccounts},
	{"PUT", "/v1/accounts/{account}", "putAccount", admins, jsonBody, false, (*call).putAccount},
	{"GET", "/v1/accounts/{account}", "getAccount", agents, noBody, false, (*call).getAccount},
	{"DELETE", "/v1/accounts/{account}", "deleteAccount", admins, noBody, false, (*call).deleteAccount},
	{"PUT", "/v1/accounts/{account}/routing", "putRouting", admins, jsonBody, false, (*call).putRouting},
	{"GET", "/v1/accounts/{account}/routing", "getRouting", agents, noBody, false, (*call).getRouting},
	{"GET", "/v1/accounts/{account}/doctor", "getDoctor", agents, noBody, false, (*call).getDoctor},
	{"PUT", "/v1/accounts/{account}/webhook", "putWebhook", admins, jsonBody, true, (*call).putWebhook},
	{"GET", "/v1/accounts/{account}/webhook", "getWebhook", admins, noBody, false, (*call).getWebhook},
	{"DELETE", "/v1/accounts/{account}/webhook", "deleteWebhook", admins, noBody, false, (*call).deleteWebhook},
	{"POST", "/v1/accounts/{account}/webhook/secret", "createSecret", admins, noBody, true, (*call).createSecret},
	{"GET", "/v1/accounts/{account}/webhook/dead", "listDeadNews", admins, noBody, false, (*call).listDeadNews},
	{"POST", "/v1/accounts/{account}/webhook/dead/{news}/resend", "resendDeadNews", admins, noBody, false, (*call).resendDeadNews},
	{"POST", "/v1/accounts/{account}/media", "uploadMedia", agents, fileBody, false, (*call).uploadMedia},
	{"GET", "/v1/media/{media}", "getMedia", agents, noBody, false, (*call).getMedia},

	{"GET", "/v1/agents", "listAgents", agents, noBody, false, (*call).listAgents},
	{"PUT", "/v1/agents/{agent}", "putAgent", admins, jsonBody, false, (*call).putAgent},
	{"GET", "/v1/agents/{agent}", "getAgent", agents, noBody, false, (*call).getAgent},
	{"DELETE", "/v1/agents/{agent}", "deleteAgent", admins, noBody, false, (*call).deleteAgent},
	{"PUT", "/v1/agents/{agent}/status", "putStatus", agents, jsonBody, false, (*call).putStatus},
	{"POST", "/v1/agents/{agent}/keys", "createAgentKey", admins, noBody, true, (*call).createAgentKey},
	{"DELETE", "/v1/agents/{agent}/keys/{key}", "deleteAgentKey", admins, noBody, false, (*call).deleteAgentKey},

	{"GET", "/v1/sessions", "listSessions", agents, noBody, false, (*call).listSessions},
	{"GET", "/v1/sessions/{session}", "getSession", agents, noBody, false, (*call).getSession},
	{"POST", "/v1/sessions/{session}/accept", "acceptSession", agents, noBody, false, (*call).acceptSession},
	{"POST", "/v1/sessions/{session}/transfer", "transferSession", agents, jsonBody, false, (*call).transferSession},
	{"POST", "/v1/sessions/{session}/close", "closeSession", agents, noBody, false, (*call).closeSession},
	{"POST", "/v1/sessions/{session}/typing", "showTyping", agents, noBody, false, (*call).showTyping},
	{"GET", "/v1/sessions/{session}/messages", "listMessages", agents, noBody, false, (*call).listMessages},
	{"POST", "/v1/sessions/{session}/messages", "sendMessage", agents, jsonBody, false, (*call).sendMessage},
	{"GET", "/v1/sessions/{session}/messages/{message}", "getMessage", agents, noBody, false, (*call).getMessage},
	{"DELETE", "/v1/sessions/{session}/messages/{message}", "cancelMessage", agents, noBody, false, (*call).cancelMessage},
	{"POST", "/v1/sessions/{session}/messages/{message}/approve", "approveMessage", agents, noBody, false, (*call).approveMessage},
}

// writes reports whether the call changes anything.
func (r route) writes() bool { return r.method != "" && r.method != http.MethodGet }

// call is one request on its way.
type call struct {
	*API
	route route
	r     *http.Request
	host  context.Context // ends when the host wants its time back, also for calls that write
	now   time.Time

	id   agent.Identity
	self *agent.Agent // the key's agent, nil for a key without one

	body []byte // of a call that takes JSON
	file upload // of one that takes a file
	// retry names the call by its idempotency key and content, empty without one.
	retry string

	rules accountRules
	seat  seat   // taken by the call
	code  string // of the problem that was answered, for the log
	cause error  // what it came from
}

// ctx is the request's context.
func (c *call) ctx() context.Context { return c.r.Context() }

// Handler serves everything under /v1. It may be called concurrently.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	methods := map[string][]string{}
	for _, r := range routes {
		mux.HandleFunc(r.method+" "+r.path, func(w http.ResponseWriter, req *http.Request) { a.serve(w, req, r) })
		methods[r.path] = append(methods[r.path], r.method)
		if r.method == http.MethodGet {
			methods[r.path] = append(methods[r.path], http.MethodHead)
		}
	}
	for path, allowed := range methods {
		slices.Sort(allowed)
		allow := strings.Join(allowed, ", ")
		refuse := func(*call) (answer, error) {
			err := fault.WithStatus(fault.New(fault.Invalid, "method-not-allowed", "This address takes "+allow+"."), http.StatusMethodNotAllowed)
			return answer{header: http.Header{"Allow": {allow}}}, err
		}
		mux.HandleFunc(path, func(w http.ResponseWriter, req *http.Request) { a.serve(w, req, route{path: path, do: refuse}) })
	}
	missing := func(*call) (answer, error) { return answer{}, errNoAddress }
	mux.HandleFunc("/", func(w http.ResponseWriter, req *http.Request) { a.serve(w, req, route{path: "/", do: missing}) })
	return mux
}

var errNoAddress = fault.New(fault.NotFound, "", "There is nothing at this address; GET /v1/openapi.json lists all calls.")

// serve makes one call, answers it and logs one line.
func (a *API) serve(w http.ResponseWriter, req *http.Request, r route) {
	c := &call{API: a, route: r, r: req, host: req.Context(), now: a.Now().UTC(), rules: accountRules{}}
	if r.writes() {
		// Half a write helps nobody: it goes on when its client hangs up.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(req.Context()), callTime)
		defer cancel()
		c.r = req.WithContext(ctx)
	}
	out := c.run(w)
	out.write(w, req.Method)
	c.summarise(out.status)
}

// run gives the call's answer; a panic is one too.
func (c *call) run(w http.ResponseWriter) (out rendered) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		// The value may hold what a customer wrote; the stack does not.
		c.Log.LogAttrs(c.ctx(), slog.LevelError, "panic", slog.String("route", c.route.path), slog.String("stack", string(debug.Stack())))
		out = c.problem(fault.Wrap(fault.Internal, "", errors.New("panic")), nil)
	}()
	ans, err := c.admit(w)
	if err != nil {
		return c.problem(err, ans.header)
	}
	if c.route.writes() {
		return c.once(c.perform)
	}
	return c.perform()
}

// admit finds out who calls, whether he may, and reads what he sends.
func (c *call) admit(w http.ResponseWriter) (answer, error) {
	if c.route.least == anyone {
		return answer{}, nil
	}
	if err := c.authenticate(); err != nil {
		return answer{header: http.Header{"WWW-Authenticate": {`Bearer realm="kefu"`}}}, err
	}
	if err := c.permit(); err != nil {
		return answer{}, err
	}
	return answer{}, c.readBody(w)
}

// perform makes the call itself.
func (c *call) perform() rendered {
	ans, err := c.route.do(c)
	if err != nil {
		return c.problem(err, ans.header)
	}
	return c.render(ans)
}

// summarise logs the call: never what was said, never a key.
func (c *call) summarise(status int) {
	attrs := []slog.Attr{
		slog.String("function", "api"), slog.String("method", c.r.Method), slog.String("route", c.route.path),
		slog.Int("status", status), slog.String("tenant", string(c.id.Tenant)), slog.String("agent", string(c.id.Agent)),
		slog.Int64("took_ms", c.Now().Sub(c.now).Milliseconds()),
	}
	if c.code != "" {
		attrs = append(attrs, slog.String("code", c.code))
	}
	lvl := slog.LevelInfo
	if status >= http.StatusInternalServerError {
		lvl = slog.LevelError
		attrs = append(attrs, slog.Any("cause", c.cause))
	}
	c.Log.LogAttrs(c.ctx(), lvl, "call", attrs...)
}
