package main

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kefu/shared/adapter/wechat/wxfake"
)

// demoData is what a first start seeds and keeps, so that keys printed once go on
// working: two accounts of the simulator, two agents and their keys.
type demoData struct {
	Accounts []demoAccount     `json:"accounts"`
	Keys     map[string]string `json:"keys"` // agent -> key
}

type demoAccount struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Channel    string `json:"channel"`
	AppID      string `json:"app_id"`
	OriginalID string `json:"original_id"`
	Token      string `json:"token"`
	AESKey     string `json:"aes_key"`
	Secret     string `json:"secret"`
	Mode       string `json:"mode"`
	Format     string `json:"format"`
}

var demoAgents = []struct{ id, name string }{{"ann", "Ann 安"}, {"bo", "Bo 波"}}

// loadDemo returns the data kept in a folder, or makes new.
func loadDemo(folder string) (demoData, error) {
	if folder == "" {
		return newDemo(), nil
	}
	path := filepath.Join(folder, "demo.json")
	b, err := os.ReadFile(filepath.Clean(path))
	if err == nil {
		var d demoData
		if err := json.Unmarshal(b, &d); err != nil {
			return d, fmt.Errorf("%s is damaged; remove it to have the demo made anew: %w", path, err)
		}
		return d, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return demoData{}, err
	}
	return newDemo(), nil
}

func newDemo() demoData {
	return demoData{
		Accounts: []demoAccount{
			newDemoAccount("demo", "Demo shop 小程序", string(wxfake.MiniProgram), string(wxfake.Secure), string(wxfake.JSON)),
			newDemoAccount("demo-oa", "Demo news 公众号", string(wxfake.Official), string(wxfake.Compatible), string(wxfake.XML)),
		},
		Keys: map[string]string{},
	}
}

func newDemoAccount(id, name, channel, mode, format string) demoAccount {
	return demoAccount{
		ID: id, Name: name, Channel: channel, Mode: mode, Format: format,
		AppID: "wx" + randomHex(8), OriginalID: "gh_" + randomHex(6), Token: randomHex(12), Secret: randomHex(16),
		AESKey: randomLetters(43),
	}
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// randomLetters makes an EncodingAESKey: letters and digits.
func randomLetters(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))[:n]
}

// seed makes what is missing through the interface, as an operator would, and keeps the data in the folder if there is
// one.
func (d demoData) seed(ctx context.Context, admin client, folder string) error {
	ids := make([]string, len(d.Accounts))
	for i, a := range d.Accounts {
		ids[i] = a.ID
		if !missing(admin.do(ctx, "GET", "/accounts/"+a.ID, nil, nil)) {
			continue
		}
		if err := admin.do(ctx, "PUT", "/accounts/"+a.ID, map[string]any{
			"channel": a.Channel, "app_id": a.AppID, "original_id": a.OriginalID, "token": a.Token, "aes_key": a.AESKey,
			"secret": a.Secret, "mode": a.Mode, "format": a.Format,
		}, nil); err != nil {
			return fmt.Errorf("seed account %s: %w", a.ID, err)
		}
	}
	for _, g := range demoAgents {
		if !missing(admin.do(ctx, "GET", "/agents/"+g.id, nil, nil)) && d.Keys[g.id] != "" {
			continue
		}
		if err := d.seedAgent(ctx, admin, g.id, g.name, ids); err != nil {
			return fmt.Errorf("seed agent %s: %w", g.id, err)
		}
	}
	if folder == "" {
		return nil
	}
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "demo.json"), append(b, '\n'), 0o600)
}

func (d demoData) seedAgent(ctx context.Context, admin client, id, name string, accounts []string) error {
	agent := map[string]any{"name": name, "role": "agent", "accounts": accounts, "capacity": 10}
	if err := admin.do(ctx, "PUT", "/agents/"+id, agent, nil); err != nil {
		return err
	}
	var key struct{ Key string }
	if err := admin.do(ctx, "POST", "/agents/"+id+"/keys", nil, &key); err != nil {
		return err
	}
	d.Keys[id] = key.Key
	own := admin
	own.key = key.Key
	return own.do(ctx, "PUT", "/agents/me/status", map[string]string{"status": "online"}, nil)
}

func missing(err error) bool {
	var p *problem
	return errors.As(err, &p) && p.Status == 404
}

// register makes the accounts known to the simulator.
func (d demoData) register(p *wxfake.Platform, base string) error {
	for _, a := range d.Accounts {
		if err := p.AddAccount(wxfake.Account{
			Channel: wxfake.Channel(a.Channel), AppID: a.AppID, OriginalID: a.OriginalID, Name: a.Name, Secret: a.Secret,
			Token: a.Token, AESKey: a.AESKey, Mode: wxfake.Mode(a.Mode), Format: wxfake.Format(a.Format),
			CallbackURL: base + "/callback/" + a.ID,
		}); err != nil {
			return err
		}
	}
	return nil
}
