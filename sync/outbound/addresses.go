package outbound

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
)

// closed are the ranges that nothing goes out to, with the words a refusal calls them by: what the IANA registries of
// special-purpose addresses hold (RFC 6890 and its updates), and addresses at which clouds answer questions about the
// machine that asks.
var closed = []struct {
	prefix netip.Prefix
	name   string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "this network"},
	{netip.MustParsePrefix("10.0.0.0/8"), "private"},
	{netip.MustParsePrefix("100.64.0.0/10"), "shared (carrier-grade NAT)"},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},
	{netip.MustParsePrefix("168.63.129.16/32"), "cloud metadata"}, // a public address, answered by the hypervisor
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local"},       // holds 169.254.169.254
	{netip.MustParsePrefix("172.16.0.0/12"), "private"},
	{netip.MustParsePrefix("192.0.0.0/24"), "protocol assignments"},
	{netip.MustParsePrefix("192.0.2.0/24"), "documentation"},
	{netip.MustParsePrefix("192.88.99.0/24"), "6to4 relay"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private"},
	{netip.MustParsePrefix("198.18.0.0/15"), "benchmarking"},
	{netip.MustParsePrefix("198.51.100.0/24"), "documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "documentation"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved or broadcast"},

	{netip.MustParsePrefix("::1/128"), "loopback"},
	{netip.MustParsePrefix("::ffff:0:0/96"), "IPv4-mapped"},
	{netip.MustParsePrefix("64:ff9b::/96"), "translated IPv4"},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "translated IPv4"},
	{netip.MustParsePrefix("2001::/23"), "protocol assignments"}, // holds Teredo
	{netip.MustParsePrefix("2001:db8::/32"), "documentation"},
	{netip.MustParsePrefix("2002::/16"), "6to4"}, // an IPv4 address inside, whichever it is
	{netip.MustParsePrefix("3fff::/20"), "documentation"},
	{netip.MustParsePrefix("fc00::/7"), "unique local"},
	{netip.MustParsePrefix("fe80::/10"), "link-local"},
	{netip.MustParsePrefix("fec0::/10"), "site-local"},
	{netip.MustParsePrefix("ff00::/8"), "multicast"},
}

// globalUnicast is all that IPv6 has assigned to the internet so far (RFC 4291, section 2.4).
var globalUnicast = netip.MustParsePrefix("2000::/3")

// closedRange names the range that keeps an address from being dialled, empty if it is open.
func closedRange(address netip.Addr) string {
	address = address.WithZone("")
	for _, one := range closed {
		if one.prefix.Contains(address) {
			return one.name
		}
	}
	if address.Is6() && !globalUnicast.Contains(address) {
		return "unassigned"
	}
	return ""
}

// guard judges the address that a name was resolved to, at the moment it is dialled: whatever the name server says
// next, nothing else is connected to. inside allows loopback addresses, at any port, and nothing else.
func guard(inside bool) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		dialled, err := netip.ParseAddrPort(address)
		if err != nil {
			return &refusedAddress{"wanted an IP address and a port, got something else"}
		}
		if inside {
			if !dialled.Addr().Unmap().IsLoopback() {
				return &refusedAddress{"wanted a loopback address behind a loopback name, got another"}
			}
			return nil
		}
		if name := closedRange(dialled.Addr()); name != "" {
			// The address itself is not told: a name server inside may know what a stranger must not.
			return &refusedAddress{"wanted a host with a public address, got one with a " + name + " address"}
		}
		if dialled.Port() != httpsPort {
			return &refusedAddress{fmt.Sprintf("wanted port 443, got %d", dialled.Port())}
		}
		return nil
	}
}

// refusedAddress is guard's refusal. It is found again inside the errors of the dialler, which name the address.
type refusedAddress struct{ why string }

func (r *refusedAddress) Error() string { return ErrAddress.Error() + ": " + r.why }
func (r *refusedAddress) Unwrap() error { return ErrAddress }

// isLoopback says whether a URL's host is this machine by name, without asking a name server.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address := net.ParseIP(host)
	return address != nil && address.IsLoopback()
}
