package agent

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
)

// A key is "kf_" + 16 characters that name it + "_" + its secret of 256 bits.
const (
	keyPrefix   = "kf_"
	keyIDBytes  = 10 // 16 characters
	keyIDLength = 16
	secretBytes = 32
)

var keyIDEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewKey makes a key from randomness: the half to store, whose owner the caller
// adds, and the text to show once. A nil reader means crypto/rand.
func NewKey(random io.Reader) (k agent.Key, text string, err error) {
	if random == nil {
		random = rand.Reader
	}
	var b [keyIDBytes + secretBytes]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return agent.Key{}, "", fmt.Errorf("randomness for a key: %w", err)
	}
	id := keyIDEncoding.EncodeToString(b[:keyIDBytes])
	secret := base64.RawURLEncoding.EncodeToString(b[keyIDBytes:])
	return agent.Key{ID: id, Hash: HashKey(secret)}, keyPrefix + id + "_" + secret, nil
}

// HashKey is how keys are stored: the hash of the secret part of a key of
// [NewKey], or of the whole of the operator's key for [API.AdminKey].
func HashKey(secret string) [sha256.Size]byte { return sha256.Sum256([]byte(secret)) }

// splitKey takes a key apart.
func splitKey(text string) (id, secret string, ok bool) {
	rest, ok := strings.CutPrefix(text, keyPrefix)
	if !ok {
		return "", "", false
	}
	id, secret, ok = strings.Cut(rest, "_")
	return id, secret, ok && validKeyID(id) && secret != ""
}

// validKeyID reports whether s can name a key.
func validKeyID(s string) bool {
	_, err := keyIDEncoding.DecodeString(s)
	return err == nil && len(s) == keyIDLength
}

// keyView is a new key: the one time that it is shown.
type keyView struct {
	ID  string `json:"id"`
	Key string `json:"key"`
}

// createAgentKey makes a key that acts for an agent.
func (c *call) createAgentKey() (answer, error) {
	g, err := c.agent()
	if err != nil {
		return answer{}, err
	}
	return c.createKey(agent.Key{Tenant: g.Tenant, Agent: g.ID})
}

// createTenantKey makes an admin key that acts for no agent: for software.
func (c *call) createTenantKey() (answer, error) {
	t, err := c.tenant()
	if err != nil {
		return answer{}, err
	}
	return c.createKey(agent.Key{Tenant: t.ID, Role: agent.RoleAdmin})
}

func (c *call) createKey(owner agent.Key) (answer, error) {
	if err := c.noFields(); err != nil {
		return answer{}, err
	}
	k, text, err := NewKey(c.Rand)
	if err != nil {
		return answer{}, err
	}
	k.Tenant, k.Agent, k.Role, k.CreatedAt = owner.Tenant, owner.Agent, owner.Role, c.now
	if err := c.Store.PutKey(c.ctx(), k); err != nil {
		return answer{}, fmt.Errorf("put key: %w", err)
	}
	return created(keyView{ID: k.ID, Key: text}), nil
}

// deleteAgentKey revokes a key of an agent.
func (c *call) deleteAgentKey() (answer, error) {
	g, err := c.agent()
	if err != nil {
		return answer{}, err
	}
	return c.deleteKey(agent.Key{Tenant: g.Tenant, Agent: g.ID})
}

// deleteTenantKey revokes a key of a tenant itself.
func (c *call) deleteTenantKey() (answer, error) {
	t, err := c.tenant()
	if err != nil {
		return answer{}, err
	}
	return c.deleteKey(agent.Key{Tenant: t.ID})
}

func (c *call) deleteKey(owner agent.Key) (answer, error) {
	id := c.r.PathValue("key")
	if !validKeyID(id) {
		return answer{}, missing("key")
	}
	if err := c.Store.DeleteKey(c.ctx(), owner.Tenant, owner.Agent, id); err != nil {
		return answer{}, named(err, "key")
	}
	return done(), nil
}

// named gives a NotFound the name of what was not found.
func named(err error, what string) error {
	if fault.KindOf(err) == fault.NotFound {
		return missing(what)
	}
	return err
}
