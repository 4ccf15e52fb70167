package dynamo

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/tenant"
)

// Agents of a tenant stand in one partition, with the names of their keys: there are hundreds at most, they change
// seldom, and lists of them must not lag.

const agentPrefix = "G#"

// Agent returns an agent of a tenant.
func (s *Store) Agent(ctx context.Context, of tenant.ID, id agent.ID) (agent.Agent, error) {
	it, err := s.needAgent(ctx, of, id)
	if err != nil {
		return agent.Agent{}, err
	}
	return readAgent(it)
}

func (s *Store) needAgent(ctx context.Context, of tenant.ID, id agent.ID) (item, error) {
	it, err := s.get(ctx, agentKey(of, id), true)
	if err == nil && it == nil {
		err = missing("agent", string(id))
	}
	return it, err
}

func readAgent(it item) (a agent.Agent, err error) {
	if err := unpack("agent", readBinary(it[attrBody]), &a); err != nil {
		return agent.Agent{}, err
	}
	a.Status, a.StatusAt = agent.Status(readText(it[attrState])), readMoment(it[attrAt])
	a.Until = readMoment(it[attrUntil])
	a.CreatedAt = readMoment(it[attrCreated])
	return a, nil
}

// PutAgent makes or replaces an agent.
func (s *Store) PutAgent(ctx context.Context, a agent.Agent) (created bool, err error) {
	bare := a
	bare.Status, bare.StatusAt, bare.Until, bare.CreatedAt = "", time.Time{}, time.Time{}, time.Time{} // attributes of their own
	body, err := pack(bare)
	if err != nil {
		return false, err
	}
	by := nonce()
	e := editIf("", nil)
	e.attr(attrBody, binary(body))
	e.first(attrState, text(string(a.Status)))
	e.first(attrAt, moment(a.StatusAt))
	e.first(attrUntil, moment(a.Until))
	e.first(attrCreated, moment(a.CreatedAt))
	e.first(attrMaker, by)
	now, _, _, err := s.update(ctx, agentKey(a.Tenant, a.ID), e.change())
	if err != nil {
		return false, err
	}
	return madeBy(now, by), nil
}

// hasStatus holds for an agent who has a status already and whose presence has not ended: agent.Agent.Present.
const hasStatus = "#" + attrState + " = :st AND (:st = :offline OR attribute_not_exists(#" + attrUntil + ") OR #" +
	attrUntil + " = :zero OR #" + attrUntil + " > :at)"

// SetStatus changes an agent's presence, or prolongs it. A lease is most often prolonged and a presence without an end
// most often new, so that is tried first; being wrong costs one refused write.
func (s *Store) SetStatus(ctx context.Context, of tenant.ID, id agent.ID, st agent.Status, at, until time.Time) (agent.Agent, error) {
	exists := "attribute_exists(#" + attrPK + ")"
	values := item{":st": text(string(st)), ":offline": text(string(agent.Offline)), ":zero": number(0), ":at": moment(at)}
	prolong := editIf(exists+" AND ("+hasStatus+")", values)
	begin := editIf(exists+" AND NOT ("+hasStatus+")", values)
	for _, e := range []*edit{prolong, begin} {
		e.attr(attrUntil, moment(until))
	}
	begin.attr(attrState, values[":st"])
	begin.attr(attrAt, values[":at"])
	tries := []change{prolong.change(), begin.change()}
	if until.IsZero() {
		slices.Reverse(tries)
	}
	for i := 0; ; i++ {
		now, stood, was, err := s.update(ctx, agentKey(of, id), tries[i%2])
		switch {
		case err != nil:
			return agent.Agent{}, err
		case !was:
			return readAgent(now)
		case len(stood) == 0:
			return agent.Agent{}, missing("agent", string(id))
		}
	}
}

// DeleteAgent removes an agent and all its keys, the agent last: whatever a crash leaves is found and removed when the
// call is repeated.
func (s *Store) DeleteAgent(ctx context.Context, of tenant.ID, id agent.ID) error {
	it, err := s.needAgent(ctx, of, id)
	if err != nil {
		return err
	}
	if err := s.deleteKeysOf(ctx, of, id); err != nil {
		return err
	}
	return s.removeMade(ctx, it)
}

// Agents lists a tenant's agents by id.
func (s *Store) Agents(ctx context.Context, of tenant.ID, cursor string, limit int) ([]agent.Agent, string, error) {
	scope := agentsOf(of)
	after, err := placeAt(scope, cursor)
	if err != nil {
		return nil, "", err
	}
	limit = pageSize(limit)
	items, err := s.agentsAfter(ctx, of, after, limit+1)
	if err != nil || len(items) <= limit {
		return items, "", err
	}
	return items[:limit], cursorAt(scope, string(items[limit-1].ID)), nil
}

// AgentsOf lists all agents that are bound to an account, by id.
func (s *Store) AgentsOf(ctx context.Context, of tenant.ID, id account.ID) ([]agent.Agent, error) {
	all, err := s.agentsAfter(ctx, of, "", 0)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(a agent.Agent) bool { return !slices.Contains(a.Accounts, id) }), nil
}

// agentsAfter reads up to limit (0: all) agents of a tenant behind a name.
func (s *Store) agentsAfter(ctx context.Context, of tenant.ID, after string, limit int) (agents []agent.Agent, err error) {
	err = s.beside(ctx, of, agentPrefix, after, limit, func(it item) error {
		a, err := readAgent(it)
		agents = append(agents, a)
		return err
	})
	if err != nil {
		return nil, err
	}
	return agents, nil
}

// beside reads, in order and consistently, up to limit (0: all) items of a tenant's agents' partition whose places
// begin with prefix, which ends in '#' or '/', behind the place prefix+after.
func (s *Store) beside(ctx context.Context, of tenant.ID, prefix, after string, limit int, read func(item) error) error {
	first := prefix
	if after != "" {
		first += after + "\x00"
	}
	end := prefix[:len(prefix)-1] + string(prefix[len(prefix)-1]+1) // behind all that begin with prefix
	q := &dynamodb.QueryInput{
		ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String(attrPK + " = :p AND " + attrSK + " BETWEEN :first AND :end"),
		ExpressionAttributeValues: item{":p": text(agentsOf(of)), ":first": text(first), ":end": text(end)},
	}
	for n := 0; ; {
		if limit > 0 {
			q.Limit = aws.Int32(int32(limit - n)) //nolint:gosec // a page is small
		}
		out, err := s.query(ctx, q)
		if err != nil {
			return err
		}
		for _, it := range out.Items {
			if err := read(it); err != nil {
				return err
			}
		}
		n += len(out.Items)
		if len(out.LastEvaluatedKey) == 0 || limit > 0 && n >= limit {
			return nil
		}
		q.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

// removeMade deletes an item that was read, unless it has gone meanwhile, even if it was then made anew. To have read
// it first is what lets a deletion whose answer was lost be repeated without finding nothing.
func (s *Store) removeMade(ctx context.Context, it item) error {
	at := key{readText(it[attrPK]), readText(it[attrSK])}
	return s.remove(ctx, at, condition{expr: attrMaker + " = :by", values: item{":by": it[attrMaker]}})
}
