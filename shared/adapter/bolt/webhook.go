package bolt

import (
	"context"
	"encoding/json"
	"time"

	"kefu/shared/core/account"
)

// signingSecrets is what gets sealed of account.Signing.
type signingSecrets struct {
	Secret    string    `json:"secret"`
	Previous  string    `json:"previous,omitempty"`
	ChangedAt time.Time `json:"changed_at,omitzero"`
}

func signingOwner(id account.ID) string { return "signing:" + string(id) }

// SetWebhook replaces where an account's events are told, and the secrets that sign them.
func (s *Store) SetWebhook(ctx context.Context, id account.ID, w account.Webhook, signing account.Signing) error {
	sealed, err := s.sealSigning(id, signing)
	if err != nil {
		return err
	}
	return s.changeAccount(ctx, id, func(r *accountRecord) { r.Account.Webhook, r.Signing = w, sealed })
}

// sealSigning seals the secrets; none at all are nil.
func (s *Store) sealSigning(id account.ID, signing account.Signing) ([]byte, error) {
	if signing == (account.Signing{}) {
		return nil, nil
	}
	plain, err := json.Marshal(signingSecrets{
		Secret: signing.Secret.Reveal(), Previous: signing.Previous.Reveal(), ChangedAt: signing.ChangedAt,
	})
	if err != nil {
		return nil, unfit(err)
	}
	return s.db.seal.seal(signingOwner(id), plain)
}

func (s *Store) openSigning(id account.ID, sealed []byte) (account.Signing, error) {
	if len(sealed) == 0 {
		return account.Signing{}, nil
	}
	plain, err := s.db.seal.open(signingOwner(id), sealed)
	if err != nil {
		return account.Signing{}, err
	}
	v, err := decode[signingSecrets]("signing secrets", plain)
	if err != nil {
		return account.Signing{}, err
	}
	return account.Signing{Secret: account.Secret(v.Secret), Previous: account.Secret(v.Previous), ChangedAt: v.ChangedAt}, nil
}
