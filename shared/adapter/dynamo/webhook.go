package dynamo

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"kefu/shared/core/account"
)

// An account's webhook, and sealed the secrets that sign what is told, stand in attributes of their own: SetWebhook
// replaces them alone. A new account has both attributes, perhaps empty, so that no later PutAccount sets them.

// signingSecrets is what gets sealed of account.Signing.
type signingSecrets struct {
	Secret    string    `json:"secret"`
	Previous  string    `json:"previous,omitempty"`
	ChangedAt time.Time `json:"changed_at,omitzero"`
}

func signingOwner(id account.ID) string { return "signing:" + string(id) }

// SetWebhook replaces where an account's events are told, and the secrets that sign them.
func (s *Store) SetWebhook(ctx context.Context, id account.ID, w account.Webhook, signing account.Signing) error {
	attrs, err := s.webhookOf(ctx, id, w, signing)
	if err != nil {
		return err
	}
	return s.changeAccount(ctx, id, attrs)
}

// webhookOf makes the attributes.
func (s *Store) webhookOf(ctx context.Context, id account.ID, w account.Webhook, signing account.Signing) (item, error) {
	packed, err := pack(w)
	if err != nil {
		return nil, err
	}
	sealed, err := s.sealSigning(ctx, id, signing)
	if err != nil {
		return nil, err
	}
	return item{attrWebhook: binary(packed), attrSigning: binary(sealed)}, nil
}

// readWebhook reads the attribute; accounts of earlier versions have none.
func readWebhook(packed []byte, w *account.Webhook) error {
	if len(packed) == 0 {
		return nil
	}
	return unpack("webhook", packed, w)
}

// sealSigning seals the secrets; none at all are no bytes.
func (s *Store) sealSigning(ctx context.Context, id account.ID, signing account.Signing) ([]byte, error) {
	if signing == (account.Signing{}) {
		return []byte{}, nil
	}
	if s.vault == nil {
		return nil, errNoVault
	}
	plain, err := json.Marshal(signingSecrets{
		Secret: signing.Secret.Reveal(), Previous: signing.Previous.Reveal(), ChangedAt: signing.ChangedAt,
	})
	if err != nil {
		return nil, unfit(err)
	}
	sealed, err := s.vault.Seal(ctx, signingOwner(id), plain)
	if err != nil {
		return nil, fmt.Errorf("signing secrets of account %q: %w", id, err)
	}
	return sealed, nil
}

func (s *Store) openSigning(ctx context.Context, id account.ID, sealed []byte) (account.Signing, error) {
	if len(sealed) == 0 {
		return account.Signing{}, nil
	}
	plain, err := s.vault.Open(ctx, signingOwner(id), sealed)
	if err != nil {
		return account.Signing{}, fmt.Errorf("signing secrets of account %q: %w", id, err)
	}
	var v signingSecrets
	if err := json.Unmarshal(plain, &v); err != nil {
		return account.Signing{}, broken("signing secrets", err)
	}
	return account.Signing{Secret: account.Secret(v.Secret), Previous: account.Secret(v.Previous), ChangedAt: v.ChangedAt}, nil
}
