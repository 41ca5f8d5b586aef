package envelope

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Entity is an entity identifier (OpenID Federation 1.1, section 1.2): an https URL such as
// https://reseller.example or https://gateway.example/e/acme. It is compared letter by letter.
type Entity string

// ParseEntity takes the one way to write an entity identifier and refuses every other, so that no two identifiers
// mean the same place: scheme and host in lower case, no port that the scheme has anyhow, no user, query, fragment or
// percent-encoding, no empty or dotted path segment and no slash at the end. http is for loopback hosts alone, in
// trials and tests. Errors are *Fault with ErrMalformed.
func ParseEntity(s string) (Entity, error) {
	if len(s) > MaxEntity {
		return "", notAnEntity(s, fmt.Sprintf("%d bytes", len(s)), fmt.Sprintf("Use at most %d characters.", MaxEntity))
	}
	scheme, rest, found := strings.Cut(s, "://")
	if !found || scheme != "https" && scheme != "http" {
		return "", notAnEntity(s, "another scheme, or none", "Begin with https:// in small letters.")
	}
	authority, path, hasPath := strings.Cut(rest, "/")
	if strings.ContainsAny(rest, "?#@%") || !printable(rest) {
		return "", notAnEntity(s, "a user, a query, a fragment, or a character that must be encoded", "Use host, port and path only, in plain ASCII. Write an international host name as xn--...")
	}
	host, port, ok := cutPort(authority)
	if !ok || port == "443" && scheme == "https" || port == "80" && scheme == "http" {
		return "", notAnEntity(s, "a port that is not needed or not a port", "Leave the port out, or write a number from 1 to 65535 without zeros before it.")
	}
	loopback, ok := checkHost(host)
	if !ok {
		return "", notAnEntity(s, "a host that is not a name in small letters nor an IP address", "Write the host name in small letters, with no dot at the end.")
	}
	if scheme == "http" && !loopback {
		return "", notAnEntity(s, "http", "Use https. http is for localhost, in trials, alone.")
	}
	if hasPath && !checkPath(path) {
		return "", notAnEntity(s, "a path with a slash at the end, an empty or dotted part, or other characters", "Remove the slash at the end, and parts such as // or /../. Use letters, digits and - . _ ~ alone in the path.")
	}
	return Entity(s), nil
}

func notAnEntity(s, got, fix string) error {
	return &Fault{
		Reason: ErrMalformed,
		Wanted: "an entity identifier: an https URL of host, port and path, such as https://reseller.example",
		Got:    short(s) + ": " + got,
		Fix:    fix,
	}
}

// cutPort divides host and port; an IPv6 address stands in brackets.
func cutPort(authority string) (host, port string, ok bool) {
	colon := strings.LastIndexByte(authority, ':')
	if colon < 0 || strings.HasSuffix(authority, "]") {
		return authority, "", true
	}
	host, port = authority[:colon], authority[colon+1:]
	number, err := strconv.ParseUint(port, 10, 16)
	return host, port, err == nil && number > 0 && strconv.FormatUint(number, 10) == port
}

// checkHost takes an IP address in its canonical form or a host name, RFC 1123, section 2.1.
func checkHost(host string) (loopback, ok bool) {
	if bare, isV6 := strings.CutPrefix(host, "["); isV6 {
		bare, closed := strings.CutSuffix(bare, "]")
		address, err := netip.ParseAddr(bare)
		return address.IsLoopback(), closed && err == nil && address.Is6() && !address.Is4In6() && address.String() == bare
	}
	if address, err := netip.ParseAddr(host); err == nil {
		return address.IsLoopback(), address.Is4() && address.String() == host
	}
	if host == "" || len(host) > 253 {
		return false, false
	}
	label := ""
	for label = range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false, false
		}
		for i := range len(label) {
			if c := label[i]; c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
				return false, false
			}
		}
	}
	// A name that ends in a number is an IPv4 address in disguise to some readers: 127.1, 0x7f.1.
	if label[0] >= '0' && label[0] <= '9' {
		return false, false
	}
	return host == "localhost", true
}

// checkPath takes segments of unreserved characters: all others have a second, percent-encoded way to be written that
// some readers hold for the same, RFC 3986, section 6.2.2.
func checkPath(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
		for i := range len(segment) {
			c := segment[i]
			alphanumeric := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
			if !alphanumeric && strings.IndexByte("-._~", c) < 0 {
				return false
			}
		}
	}
	return true
}

// ID is the SHA-256 of an entity identifier: 32 bytes of fixed length for keys, indexes and URLs.
type ID [sha256.Size]byte

// ID returns the entity's ID.
func (e Entity) ID() ID { return sha256.Sum256([]byte(e)) }

// String returns the ID in base64url without padding, 43 characters.
func (id ID) String() string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// ParseID reads what String wrote, and nothing else.
func ParseID(s string) (ID, error) {
	sum, err := parseSum(s)
	if err != nil {
		return ID{}, fmt.Errorf("envelope: read an entity's ID: %w", err)
	}
	return ID(sum), nil
}
