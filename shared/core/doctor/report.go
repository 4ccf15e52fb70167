package doctor

import (
	"time"

	"kefu/shared/core/account"
)

// Report is the outcome of an examination.
type Report struct {
	Account  account.ID `json:"account"`
	At       time.Time  `json:"at"`
	Healthy  bool       `json:"healthy"` // no finding is an error
	Findings []Finding  `json:"findings"`
}
