package app_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"kefu/shared/porttest"
)

// TestBudgetScale: a message costs the same whether a thousand sessions are stored or a hundred thousand. Without
// -budget, which has the time for it, ten thousand must do.
func TestBudgetScale(t *testing.T) {
	t.Parallel()
	b := newTill(t)
	mei := b.platform.Named("wxshop", "mei")
	b.say(mei, "hello")()
	b.work()
	id := b.session(mei).str("id")
	b.must("ann", "POST", "/sessions/"+id+"/accept", nil, 200)
	b.answer(id, "hello")()
	b.work()
	items := b.conversation(mei.OpenID(), id)

	full := 10_000
	if *printBudget {
		full = 100_000
	}
	stored := 0
	var was usage
	for _, n := range []int{1_000, full} {
		b.fill(items, mei.OpenID(), id, stored, n)
		stored = n
		b.later(time.Second)
		u := b.measure("", 1, b.say(mei, "how are you?"))
		out := b.measure("", 1, b.answer(id, "fine"))
		list := b.measure("", 1, func() { b.must("ann", "GET", "/sessions?state=queued&limit=20", nil, 200) })
		u.Write, u.Read = u.Write+out.Write, u.Read+out.Read+list.Read
		if was.Write > 0 && (u.Write != was.Write || u.Read > was.Read*1.1) {
			t.Errorf("with %d sessions a message, an answer and a list use %+v; with 1,000 they use %+v", n, u, was)
		}
		was = u
		if *printBudget {
			fmt.Printf("With %d sessions stored, a message, its answer and a look at the queue use %g write and %g read units.\n", n, u.Write, u.Read)
		}
	}
}

// conversation reads the items of one customer's conversation, to be multiplied.
func (b *till) conversation(customer, session string) []map[string]types.AttributeValue {
	b.t.Helper()
	var items []map[string]types.AttributeValue
	for _, at := range [][2]string{{"C#shop/" + customer, "C"}, {"I#" + session, "I"}} {
		out, err := b.table().GetItem(b.ctx, &dynamodb.GetItemInput{
			TableName: &b.config.Cloud.Table,
			Key: map[string]types.AttributeValue{
				"pk": &types.AttributeValueMemberS{Value: at[0]}, "sk": &types.AttributeValueMemberS{Value: at[1]},
			},
		})
		if err != nil || len(out.Item) == 0 {
			b.t.Fatalf("item %s: %v, %v", at[0], out, err)
		}
		items = append(items, out.Item)
	}
	return items
}

func (b *till) table() *dynamodb.Client {
	return dynamodb.NewFromConfig(local(porttest.Emulator(b.t, "dynamodb")))
}

// fill stores copies of a conversation, from one number to another, in all its indexes.
func (b *till) fill(items []map[string]types.AttributeValue, customer, session string, from, to int) {
	b.t.Helper()
	db := b.table()
	var all sync.WaitGroup
	next := make(chan int)
	for range 8 {
		all.Go(func() {
			for first := range next {
				var batch []types.WriteRequest
				for i := first; i < min(first+12, to); i++ {
					rename := strings.NewReplacer(customer, fmt.Sprintf("%s%06d", customer[:len(customer)-6], i), session, fmt.Sprintf("%s%06d", session[:len(session)-6], i))
					for _, item := range items {
						batch = append(batch, types.WriteRequest{PutRequest: &types.PutRequest{Item: renamed(item, rename)}})
					}
				}
				for len(batch) > 0 {
					out, err := db.BatchWriteItem(b.ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{b.config.Cloud.Table: batch}})
					if err != nil {
						b.t.Error(err)
						return
					}
					batch = out.UnprocessedItems[b.config.Cloud.Table]
				}
			}
		})
	}
	for i := from; i < to; i += 12 {
		next <- i
	}
	close(next)
	all.Wait()
}

// renamed is an item with other names in its keys; the body stays the original's.
func renamed(in map[string]types.AttributeValue, by *strings.Replacer) map[string]types.AttributeValue {
	out := make(map[string]types.AttributeValue, len(in))
	for name, v := range in {
		if s, ok := v.(*types.AttributeValueMemberS); ok {
			v = &types.AttributeValueMemberS{Value: by.Replace(s.Value)}
		}
		out[name] = v
	}
	return out
}
