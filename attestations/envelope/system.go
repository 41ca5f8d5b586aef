package envelope

import (
	"fmt"
	"strings"
)

// systems is where, below a gateway, the identifiers of the provider's own systems lie. No entity enrols there: what is below a gateway
// is the gateway's to give.
const systems = "/systems/"

// SystemOf is the identifier of one of the provider's own systems (accounts, billing, IAM), by the label of its token. Bytes that an
// identifier cannot hold are written as ~ and two hexadecimal digits: a percent-encoding would have two ways to be written.
func SystemOf(gateway Entity, label string) Entity {
	var b strings.Builder
	b.WriteString(string(gateway) + systems)
	for i := range len(label) {
		c := label[i]
		alphanumeric := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if alphanumeric || c == '-' || c == '_' || c == '.' && i > 0 {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "~%02X", c)
	}
	return Entity(b.String())
}

// SystemLabel is the reverse of SystemOf: which system of the provider an identifier names; false for every other identifier.
func SystemLabel(gateway, entity Entity) (label string, ok bool) {
	name, below := strings.CutPrefix(string(entity), string(gateway)+systems)
	if !below || name == "" {
		return "", false
	}
	var decoded []byte
	for i := 0; i < len(name); i++ {
		if name[i] != '~' {
			decoded = append(decoded, name[i])
			continue
		}
		var c byte
		if i+3 > len(name) {
			return "", false
		}
		if _, err := fmt.Sscanf(name[i+1:i+3], "%02X", &c); err != nil {
			return "", false
		}
		decoded, i = append(decoded, c), i+2
	}
	return string(decoded), SystemOf(gateway, string(decoded)) == entity // there is one way to write each
}
