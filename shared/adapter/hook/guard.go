package hook

import (
	"errors"
	"net/netip"
	"syscall"
)

// errRefused is what a connection to a place fails with that is none of the receiver's business.
var errRefused = errors.New("the address is not one of the public network")

// guard looks at each address that is about to be connected to. It stands behind the name's resolution, so a name that
// resolves to one place when it is looked at and to another when it is called gains nothing.
func guard(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !public(to.Addr()) {
		return errRefused
	}
	return nil
}

// public reports whether an address can be anybody's. What it refuses are the special-purpose blocks of
// https://www.iana.org/assignments/iana-ipv4-special-registry and -ipv6-special-registry, among them where clouds keep
// their metadata: 169.254.169.254, 100.100.100.200, fd00:ec2::254.
func public(a netip.Addr) bool {
	a = a.Unmap()
	if a.Is4() {
		return !within(a, special4)
	}
	if carried, ok := carried(a); ok {
		return public(carried)
	}
	return unicast6.Contains(a.WithZone("")) && !within(a, special6) && a.Zone() == ""
}

func within(a netip.Addr, blocks []netip.Prefix) bool {
	for _, b := range blocks {
		if b.Contains(a) {
			return true
		}
	}
	return false
}

// unicast6 is all that IPv6 has given out.
var unicast6 = netip.MustParsePrefix("2000::/3")

// nat64 and sixToFour carry an IPv4 address, and lead to it.
var (
	nat64     = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour = netip.MustParsePrefix("2002::/16")
)

// carried gives the IPv4 address within one of IPv6.
func carried(a netip.Addr) (netip.Addr, bool) {
	b := a.As16()
	switch {
	case nat64.Contains(a):
		return netip.AddrFrom4([4]byte(b[12:])), true
	case sixToFour.Contains(a):
		return netip.AddrFrom4([4]byte(b[2:])), true
	}
	return netip.Addr{}, false
}

var special4 = prefixes(
	"0.0.0.0/8",       // this network, the unspecified address
	"10.0.0.0/8",      // private
	"100.64.0.0/10",   // behind carriers' NAT
	"127.0.0.0/8",     // loopback
	"169.254.0.0/16",  // link-local
	"172.16.0.0/12",   // private
	"192.0.0.0/24",    // protocol assignments
	"192.0.2.0/24",    // documentation
	"192.88.99.0/24",  // 6to4 relays
	"192.168.0.0/16",  // private
	"198.18.0.0/15",   // measurements
	"198.51.100.0/24", // documentation
	"203.0.113.0/24",  // documentation
	"224.0.0.0/4",     // multicast
	"240.0.0.0/4",     // reserved, broadcast
)

var special6 = prefixes(
	"2001::/23",     // protocol assignments, Teredo among them
	"2001:db8::/32", // documentation
	"3fff::/20",     // documentation
)

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParsePrefix(text)
	}
	return list
}
