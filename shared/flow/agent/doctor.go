package agent

import (
	"context"

	"kefu/shared/core/account"
	"kefu/shared/core/doctor"
)

// Doctor examines an account's set-up (P8). What it can't find out is a finding too.
type Doctor interface {
	Examine(ctx context.Context, id account.ID) (doctor.Report, error)
}

func (c *call) getDoctor() (answer, error) {
	a, err := c.account()
	if err != nil {
		return answer{}, err
	}
	report, err := c.Doctor.Examine(c.ctx(), a.ID)
	if err != nil {
		return answer{}, err
	}
	return ok(report), nil
}
