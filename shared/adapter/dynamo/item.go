package dynamo

import (
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type item = map[string]types.AttributeValue

func text(s string) types.AttributeValue   { return &types.AttributeValueMemberS{Value: s} }
func binary(b []byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: b} }
func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// moment stores a time to the nanosecond. A zero time is 0 or no attribute, see [readMoment]: in a condition it is
// before every other.
func moment(t time.Time) types.AttributeValue {
	if t.IsZero() {
		return number(0)
	}
	return number(t.UnixNano())
}

// lifetime is the TTL attribute of what logically ends at end.
func lifetime(end time.Time) types.AttributeValue { return number(end.Add(week).Unix()) }

func readText(v types.AttributeValue) string {
	if s, ok := v.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

func readBinary(v types.AttributeValue) []byte {
	if b, ok := v.(*types.AttributeValueMemberB); ok {
		return b.Value
	}
	return nil
}

// readNumber reads a number; what is no number is 0.
func readNumber(v types.AttributeValue) int64 {
	n, ok := v.(*types.AttributeValueMemberN)
	if !ok {
		return 0
	}
	i, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil {
		return 0
	}
	return i
}

func readMoment(v types.AttributeValue) time.Time {
	n := readNumber(v)
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
