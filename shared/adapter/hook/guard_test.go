package hook

import (
	"net/netip"
	"testing"
)

// TestPublic: what may be called, and what is no receiver's.
func TestPublic(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"1.1.1.1":                   true,
		"9.255.255.255":             true,
		"11.0.0.0":                  true,
		"100.63.255.255":            true,
		"100.128.0.0":               true,
		"172.15.255.255":            true,
		"172.32.0.0":                true,
		"223.255.255.255":           true,
		"2606:4700:4700::1111":      true,
		"2400:3200::1":              true,
		"::ffff:1.1.1.1":            true,
		"64:ff9b::101:101":          true, // 1.1.1.1
		"2002:101:101::1":           true,
		"0.0.0.0":                   false, // this machine, on Linux
		"0.1.2.3":                   false,
		"127.0.0.1":                 false,
		"127.255.255.254":           false,
		"10.0.0.1":                  false,
		"172.16.0.1":                false,
		"172.31.255.255":            false,
		"192.168.1.1":               false,
		"169.254.169.254":           false, // metadata of AWS and others
		"169.254.0.23":              false, // metadata of Tencent Cloud
		"100.100.100.200":           false, // metadata of Alibaba Cloud
		"100.64.0.1":                false,
		"192.0.0.8":                 false,
		"198.18.0.1":                false,
		"203.0.113.7":               false,
		"224.0.0.1":                 false,
		"239.255.255.255":           false,
		"240.0.0.1":                 false,
		"255.255.255.255":           false,
		"::":                        false,
		"::1":                       false,
		"::127.0.0.1":               false,
		"::ffff:127.0.0.1":          false,
		"::ffff:10.0.0.1":           false,
		"::ffff:169.254.169.254":    false,
		"64:ff9b::7f00:1":           false, // 127.0.0.1
		"64:ff9b::a9fe:a9fe":        false, // 169.254.169.254
		"64:ff9b:1::1":              false,
		"2002:7f00:1::":             false,
		"2002:c0a8:101::1":          false,
		"2001::1":                   false, // Teredo
		"2001:db8::1":               false,
		"fc00::1":                   false,
		"fd00:ec2::254":             false, // metadata of AWS
		"fe80::1":                   false,
		"fe80::1%eth0":              false,
		"2606:4700:4700::1111%eth0": false,
		"fec0::1":                   false,
		"ff02::1":                   false,
		"4000::1":                   false,
	} {
		if got := public(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: got public %t, want %t", address, got, want)
		}
	}
	for _, text := range []string{"", "x", "receiver.example:443", "1.1.1.1"} {
		if guard("tcp", text, nil) == nil {
			t.Errorf("%q: got no refusal of what is no address", text)
		}
	}
}
