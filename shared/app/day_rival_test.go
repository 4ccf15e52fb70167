package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"kefu/shared/adapter/wechat/wxfake"
)

// rival is another tenant of the deployment, who is up to no good: all day long they reach for what the desk's tenant has,
// and get in nobody's way with what is theirs.
type rival struct {
	d         *day
	dice      *rand.Rand
	key       string
	customers []*wxfake.Customer
	heard     []string // bodies of what their receiver was told
	reached   int      // attempts, all of them refused
	floods    int
	pushed    int // by their own customers, and accepted

	mu sync.Mutex
}

const rivalAccount = "mall"

// admitRival makes the tenant and puts their day on the agenda.
func (d *day) admitRival() {
	v := &rival{d: d, dice: d.dice("rival"), key: "rival"}
	d.rival = v
	d.must("admin", "PUT", "/tenants/rival", m{"name": "rival"}, 201)
	d.keys["rival"] = d.must("admin", "POST", "/tenants/rival/keys", nil, 201).str("key")
	d.accountOf("rival", rivalAccount, wxfake.MiniProgram, wxfake.Plaintext, wxfake.JSON)
	web := httptest.NewServer(v)
	d.t.Cleanup(web.Close)
	d.must("rival", "PUT", "/accounts/"+rivalAccount+"/webhook", m{"url": web.URL}, 201)
	for i := range 20 {
		v.customers = append(v.customers, d.platform.Named("wx"+rivalAccount, fmt.Sprintf("rival-%02d", i)))
	}
	const h, minute = time.Hour, time.Minute
	d.every(d.rarely(10*minute), d.at(9*h), d.at(18*h), v.reach)
	for _, at := range []time.Duration{10*h + 12*minute, 13*h + 50*minute} {
		d.on(d.at(at), v.flood)
	}
}

// ServeHTTP is the rival's own receiver.
func (v *rival) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	v.mu.Lock()
	v.heard = append(v.heard, string(body))
	v.mu.Unlock()
}

// reach tries what a tenant can try: to take the shop's accounts, to use each of its ids.
func (v *rival) reach() {
	d := v.d
	account := m{"channel": "miniprogram", "app_id": "wx" + rivalAccount, "token": "rivalstoken", "mode": "plaintext", "format": "json"}
	v.refused("PUT", "/accounts/"+shop, account, 404)
	v.refused("PUT", "/accounts/stolen", m{"channel": "miniprogram", "app_id": "wx" + shop, "token": "rivalstoken"}, 409)
	v.refused("PUT", "/accounts/"+rivalAccount, m{
		"channel": "miniprogram", "app_id": "wx" + shop, "token": "rivalstoken", "settings": m{"typing_path": "/cgi-bin/clear_quota"},
	}, 400, 409)
	v.refused("DELETE", "/accounts/"+club, nil, 404)
	v.refused("GET", "/accounts/"+shop+"/webhook/dead", nil, 404)
	v.refused("GET", "/agents/lin", nil, 404)
	v.refused("POST", "/agents/lin/keys", nil, 404)

	list := d.must("admin", "GET", "/sessions?limit=50&account="+dayAccounts()[v.dice.IntN(2)], nil, 200).items()
	if len(list) == 0 {
		return
	}
	session := "/sessions/" + list[v.dice.IntN(len(list))].str("id")
	v.refused("GET", session, nil, 404)
	v.refused("GET", session+"/messages", nil, 404)
	v.refused("POST", session+"/messages", text("phishing"), 404)
	v.refused("POST", session+"/transfer", m{"to": "queue"}, 404)
	v.refused("POST", session+"/close", nil, 404)
	for _, x := range d.must("admin", "GET", session+"/messages?limit=5", nil, 200).items() {
		v.refused("DELETE", session+"/messages/"+x.str("id"), nil, 404)
	}
	// A key of the shop's, and the answer that it got, are nothing to another tenant.
	status, answer := d.call("rival", "PUT", "/agents/spy", m{"name": "spy", "accounts": []string{rivalAccount}}, "Idempotency-Key", fmt.Sprint("call-", 1+v.dice.IntN(max(d.asked, 1))))
	if got := answer.str("id"); (status < 300 && got != "spy") || (status >= 300 && status < 500 && status != 409 && status != 422) {
		d.broken("10 (tenants)", "", "with another's Idempotency-Key the rival got %d %v", status, answer)
	}
}

// refused makes a call that must fail in one of these ways, and tell nothing.
func (v *rival) refused(method, path string, body any, want ...int) {
	v.reached++
	status, answer := v.d.call("rival", method, path, body)
	if status == http.StatusBadGateway {
		return // the function died, which is no answer
	}
	raw, _ := json.Marshal(answer)
	if !slices.Contains(want, status) || strings.Contains(string(raw), "customer-") {
		v.d.broken("10 (tenants)", "", "the rival's %s %s: got %d %s, want %v", method, path, status, raw, want)
	}
}

// flood lets the rival's customers write all at once, far more than a shop of that size sees in a day.
func (v *rival) flood() {
	v.floods++
	for i := range 10 * len(v.customers) {
		if v.customers[i%len(v.customers)].Say(v.d.ctx, fmt.Sprintf("flood %d", i)).Accepted {
			v.pushed++
		}
	}
}

// checkRival (10): what the rival's receiver heard is of the rival's own customers, nobody of the desk's tenant got a word
// of theirs, and none of their names stands in anything that the desk's tenant sees.
func (d *day) checkRival() {
	v := d.rival
	for _, body := range v.heard {
		if strings.Contains(body, "customer-") || !strings.Contains(body, `"`+rivalAccount+`"`) {
			d.broken("10 (webhooks)", "", "the rival's receiver was told %s", body)
		}
	}
	for _, c := range d.customers {
		for _, got := range c.Inbox() {
			if strings.Contains(got.Text, "phishing") {
				d.broken("10 (sends)", c.OpenID(), "they got what the rival wrote")
			}
		}
	}
	stored := 0
	for _, c := range v.customers {
		for _, s := range d.must("rival", "GET", "/sessions?limit=200&customer="+c.OpenID(), nil, 200).items() {
			for cursor := ""; ; {
				page := d.must("rival", "GET", "/sessions/"+s.str("id")+"/messages?limit=200&cursor="+cursor, nil, 200)
				stored += len(page.items())
				if cursor = page.str("next"); cursor == "" {
					break
				}
			}
		}
		if list := d.must("admin", "GET", "/sessions?customer="+c.OpenID(), nil, 200).items(); len(list) > 0 {
			d.broken("10 (sessions)", "", "a customer of the rival's stands among the desk's sessions: %v", list)
		}
	}
	if stored != v.pushed {
		d.broken("1, 2 (pushes)", "", "of the rival's own customers %d messages are stored, %d were accepted", stored, v.pushed)
	}
}
