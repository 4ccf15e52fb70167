package dynamo

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/doctor"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
)

// Names of attributes. They are short because each item pays for them. Infrastructure (infra/aws) and this list must
// agree on pk, sk, ttl and the keys of the indexes.
const (
	attrPK  = "pk"
	attrSK  = "sk"
	attrTTL = "ttl" // epoch seconds; a week past the logical end

	attrTimeOf  = "tp" // index time: partition
	attrTime    = "ta" // index time: place
	attrList    = "l1" // index list: partition
	attrAgent   = "l2" // index agent: partition
	attrOrder   = "o"  // indexes list and agent: place
	attrQueue   = "l3" // index queue: partition
	attrQueueAt = "q"  // index queue: place

	attrBody    = "b" // compressed JSON
	attrSpilled = "x" // where the body is when it is too big for an item
	attrVersion = "v"
	attrWrite   = "w"  // who wrote last: recognises a write whose answer was lost
	attrMaker   = "mk" // which write made the item: tells the one of many that did

	attrLists   = "lk" // conversation: digest of its session's keys in the lists
	attrHistory = "av" // session: version of the body
	attrArchive = "ar" // session: the body is an archived one
	attrGone    = "rp" // session: another one has replaced it
	attrNames   = "ns" // tenant: the accounts that ever had a session of it
	attrEnder   = "we" // message: who wrote its end

	attrState     = "st"
	attrReason    = "rs"
	attrCode      = "cd"
	attrAt        = "at"
	attrParts     = "pn"
	attrGround    = "gr"
	attrTenant    = "tn"
	attrSealed    = "se"
	attrLease     = "le"
	attrUntil     = "un"
	attrSeats     = "ss"
	attrLastTaken = "lt" // seats: when the last was taken
	attrLastFreed = "lf" // seats: when the last was freed
	attrDrops     = "dr"
	attrDropAt    = "dt"
	attrMessage   = "m"
	attrRouting   = "ro"
	attrCreated   = "cr"
	attrWebhook   = "wh"
	attrSigning   = "sg" // sealed
	attrApp       = "ap" // account: its app id, which its body has as well
	attrInc       = "ic" // account: its incarnation
	attrHolders   = "hs" // claim of an app id: the accounts that have it
)

// Names of the indexes. Each holds keys only and is sparse: an item stands in it only while it has both attributes.
const (
	indexTime  = "time"  // conversations by due time (in shards), files by the end of their time, sessions by customer
	indexList  = "list"  // sessions by account and state, newest first; the few other lists
	indexAgent = "agent" // sessions by agent and state, newest first
	indexQueue = "queue" // queued sessions by account, longest waiting first
)

// key is the place of one item.
type key struct{ pk, sk string }

func (k key) item() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{attrPK: text(k.pk), attrSK: text(k.sk)}
}

// Ids of tenants, accounts, agents and sessions have neither '/' nor '#' in them (account.ValidID), and a customer's
// name, which may have anything in it, always stands last: so no two keys are alike.

func conversationKey(r session.Ref) key {
	return key{"C#" + string(r.Account) + "/" + string(r.Customer), "C"}
}
func sessionKey(id session.ID) key    { return key{"I#" + string(id), "I"} }
func messagesOf(id session.ID) string { return "M#" + string(id) }
func messageKey(id session.ID, n int64) key {
	return key{messagesOf(id), fmt.Sprintf("%019d", n)}
}

func seenKey(a account.Scope, push string) key { return key{"P#" + string(a) + "/" + short(push), "P"} }

func rawKey(a account.Scope, push string) key { return key{"W#" + string(a) + "/" + short(push), "W"} }

func tenantKey(id tenant.ID) key    { return key{"T#" + string(id), "T"} }
func accountKey(id account.ID) key  { return key{"A#" + string(id), "A"} }
func claimKey(appID string) key     { return key{"N#" + appID, "N"} }
func reservedKey(id account.ID) key { return key{"R#" + string(id), "R"} }
func agentsOf(id tenant.ID) string  { return "T#" + string(id) + "/agents" }
func agentKey(of tenant.ID, id agent.ID) key {
	return key{agentsOf(of), "G#" + string(id)}
}

// agentKeysOf is where the names of an agent's API keys stand, beside the agents so that one query finds them.
func agentKeysOf(id agent.ID) string { return "K#" + string(id) + "/" }

func agentKeyEntry(of tenant.ID, id agent.ID, name string) key {
	return key{agentsOf(of), agentKeysOf(id) + short(name)}
}
func apiKeyKey(name string) key { return key{"K#" + short(name), "K"} }
func seatsKey(of tenant.ID, id agent.ID) key {
	return key{"S#" + string(of) + "/" + string(id), "S"}
}

func sightingKey(a account.Scope) key { return key{SightingPartition + string(a), "V"} }

// SightingPartition begins the partition keys of what was seen of the platform's pushes: all that the
// function which faces the internet may write (infra/aws/roles.yml).
const SightingPartition = "V#"

// Attributes of sightings: what was accepted of pushes and of checks, with its time; what was refused, by reason, with
// its count. They are short so that all of them together fit into one unit.

func sightingAttr(v doctor.Sighting) string {
	switch {
	case v.Reason != "":
		return "r" + reasonLetters[v.Reason]
	case v.Check:
		return "rc"
	}
	return "rp"
}

func sightingTime(v doctor.Sighting) string { return "t" + sightingAttr(v)[1:] }
func sightingCount(r doctor.Reason) string  { return "n" + reasonLetters[r] }

var reasonLetters = map[doctor.Reason]string{
	doctor.Unsigned: "A", doctor.WrongToken: "B", doctor.WrongBody: "C", doctor.Unencrypted: "D", doctor.BadEnvelope: "E",
	doctor.NoKey: "F", doctor.NotBase64: "G", doctor.WrongLength: "H", doctor.WrongKey: "I", doctor.WrongAppID: "J",
	doctor.WrongOriginalID: "K", doctor.NoEcho: "L", doctor.Oversized: "M", doctor.Unreadable: "N",
}

func callKey(of tenant.ID, name string) key { return key{"Q#" + string(of) + "/" + short(name), "Q"} }
func mediaKey(id string) key                { return key{"F#" + short(id), "F"} }

// tokenKey never is one of an earlier version, which kept tokens by app id alone: those are not read any more.
func tokenKey(c account.Credential) key { return key{"X#" + c.Key(), "X"} }

// Partitions of the index list.

func accountsList(of tenant.ID) string { return "T#" + string(of) + "/accounts" }
func rawList(a account.Scope) string   { return "W#" + string(a) }
func sessionList(of tenant.ID, a account.ID, s session.State) string {
	return "L#" + string(of) + "/" + string(a) + "/" + string(s)
}

// Partitions of the other indexes of sessions.

func agentList(of tenant.ID, a agent.ID, s session.State) string {
	return "G#" + string(of) + "/" + string(a) + "/" + string(s)
}

func customerList(of tenant.ID, c account.Customer) string {
	return "C#" + string(of) + "/" + string(c)
}

func queueList(of tenant.ID, a account.ID) string { return "Q#" + string(of) + "/" + string(a) }

// tenantAccountsKey is where the names of all accounts stand that ever had a session of the tenant.
func tenantAccountsKey(of tenant.ID) key { return key{"T#" + string(of), "L"} }

// dueShards spreads the due index: a partition takes a thousand writes a second.
const (
	dueShards      = 16
	dueMediaShards = 4
)

// dueShard is the partition of the due index that a conversation belongs to.
func dueShard(name string) string { return dueShardAt(int(hash(name) % dueShards)) }
func dueShardAt(i int) string     { return fmt.Sprintf("D#%d", i) }

func dueMediaShard(name string) string { return dueMediaShardAt(int(hash(name) % dueMediaShards)) }
func dueMediaShardAt(i int) string     { return fmt.Sprintf("DF#%d", i) }

func hash(s string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s)) // never fails
	return h.Sum32()
}

// short keeps a name of any length within a key; a long one is replaced by its digest.
func short(name string) string {
	const most = 200
	if len(name) <= most {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// instant writes a time so that texts sort as times do. Times before 1970 don't occur; they count as 1970.
func instant(t time.Time) string { return fmt.Sprintf("%019d", max(t.UnixNano(), 0)) }

// newest writes a time so that later ones sort first.
func newest(t time.Time) string {
	const last = int64(^uint64(0) >> 1)
	return fmt.Sprintf("%019d", last-max(t.UnixNano(), 0))
}

// week is how long an item outlives its logical end before DynamoDB may delete it.
const week = 7 * 24 * time.Hour
