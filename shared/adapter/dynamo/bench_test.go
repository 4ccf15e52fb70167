package dynamo

import (
	"testing"

	"kefu/shared/core/session"
)

// BenchmarkBody tells what packing costs a function: with each message a conversation is unpacked and packed.
func BenchmarkBody(b *testing.B) {
	v := newTypical(1).sending()
	packed, err := pack(v)
	must(b, err)
	b.Run("pack", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := pack(v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("unpack", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var back session.Session
			if err := unpack("session", packed, &back); err != nil {
				b.Fatal(err)
			}
		}
	})
}
