package app_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"
)

// receiver is the business's own software: it checks each signature by itself, keeps what it was told, and is down for two
// hours in the morning if it is the shop's.
type receiver struct {
	d      *day
	of     string // account
	secret []byte
	told   []news // what it took, in the order of arrival, repetitions among them
	tries  int
}

// news is one request that the receiver took.
type news struct {
	id      string
	heard   time.Time
	event   string
	at      time.Time
	data    m
	message m
}

func (n news) customer() string { return n.data.str("customer") }
func (n news) session() string  { return n.data.str("session") }

func (d *day) receiver(of string) *receiver {
	h := &receiver{d: d, of: of}
	web := httptest.NewServer(h)
	d.t.Cleanup(web.Close)
	secret := d.must("admin", "PUT", "/accounts/"+of+"/webhook", m{"url": web.URL}, 201).str("secret")
	h.secret, _ = base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	return h
}

// down says whether it answers nothing but 500 now.
func (h *receiver) down() bool {
	since := h.d.now().Sub(h.d.midnight)
	return h.of == shop && since >= 10*time.Hour && since < 12*time.Hour
}

func (h *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	id := r.Header.Get("webhook-id")
	mac := hmac.New(sha256.New, h.secret)
	_, _ = mac.Write([]byte(id + "." + r.Header.Get("webhook-timestamp") + "." + string(body)))
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	if got := r.Header.Get("webhook-signature"); err != nil || got != want {
		h.d.t.Errorf("webhook %s: got signature %s, want %s (%v)", id, got, want, err)
	}
	h.tries++
	if h.d.trouble.happens("webhook hung", id, 5) {
		h.d.hang(r, 15*time.Second)
	}
	if h.down() || h.d.trouble.happens("webhook refused", id, 20) {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	var v struct {
		Type      string    `json:"type"`
		Timestamp time.Time `json:"timestamp"`
		Data      m         `json:"data"`
	}
	if err := json.Unmarshal(body, &v); err != nil {
		h.d.t.Errorf("webhook %s: %v", id, err)
	}
	h.told = append(h.told, news{id: id, heard: h.d.now(), event: v.Type, at: v.Timestamp, data: v.Data, message: v.Data.obj("message")})
	// What it took and couldn't say so comes again.
	if h.d.trouble.happens("webhook answer lost", id, 5) {
		w.WriteHeader(http.StatusGatewayTimeout)
	}
}

// first is what it was told, each once, of one customer or of all.
func (h *receiver) first(customer string) (list []news) {
	seen := map[string]bool{}
	for _, n := range h.told {
		if !seen[n.id] && (customer == "" || n.customer() == customer) {
			seen[n.id] = true
			list = append(list, n)
		}
	}
	return list
}
