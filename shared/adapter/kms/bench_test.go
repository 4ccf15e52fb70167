package kms

import "testing"

func benchVaults() map[string]*Vault {
	return map[string]*Vault{"kms": newVault(newFake(), nil), "static": Static([32]byte{1})}
}

func BenchmarkSeal(b *testing.B) {
	plain := make([]byte, 512) // an access token
	for name, v := range benchVaults() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Seal(b.Context(), "token:wx0123456789", plain); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	for name, v := range benchVaults() {
		sealed := seal(b, v, "token:wx0123456789", string(make([]byte, 512)))
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Open(b.Context(), "token:wx0123456789", sealed); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
