package envelope

import (
	"errors"
	"strings"
)

// sources says where the rule about a place in a token stands.
var sources = map[string]string{
	"":                 "RFC 7515, section 7.1",
	"/header":          "RFC 7515, section 4",
	"/header/alg":      "RFC 7518, section 3.1; RFC 8725, section 3.1",
	"/header/kid":      "RFC 7515, section 4.1.4",
	"/header/typ":      "RFC 8417, section 2.3; RFC 8725, section 3.11",
	"/header/crit":     "RFC 7515, section 4.1.11",
	"/header/b64":      "RFC 7797, section 6",
	"/claims":          "RFC 8259; RFC 7493, section 2",
	"/claims/iss":      "RFC 8417, section 2.2; RFC 7519, section 4.1.1",
	"/claims/aud":      "RFC 8417, section 2.2; RFC 7519, section 4.1.3",
	"/claims/iat":      "RFC 8417, section 2.2; RFC 7519, section 4.1.6",
	"/claims/jti":      "RFC 8417, section 2.2; RFC 7519, section 4.1.7",
	"/claims/events":   "RFC 8417, section 2.2; one event in each token is ours",
	"/claims/sub_id":   "RFC 9493, section 3",
	"/claims/toe":      "RFC 8417, section 2.2; RFC 7519, section 2",
	"/claims/txn":      "RFC 8417, section 2.2",
	"/claims/exp":      "RFC 8417, section 2.2; OpenID Shared Signals Framework 1.0, section 4.1",
	"/claims/nbf":      "OpenID Shared Signals Framework 1.0, section 4.1",
	"/claims/sub":      "OpenID Shared Signals Framework 1.0, section 4.1",
	"/signature":       "RFC 7515, section 5.2",
	"/claims/iat/when": "policy intake.max_age and intake.max_ahead",
}

// sourceOf says where the rule stands that a fault breaks.
func sourceOf(fault *Fault) string {
	switch {
	case errors.Is(fault.Reason, ErrTooLarge):
		return "our limit of a token's size, in protocol.md, Submissions"
	case fault.Pointer == "/claims/iat" && strings.HasPrefix(fault.Wanted, "a time at most"):
		return sources["/claims/iat/when"]
	case fault.Wanted == wantedBase64:
		return "RFC 7515, section 2; RFC 4648, section 3.5"
	}
	for pointer := fault.Pointer; ; {
		if source, known := sources[pointer]; known {
			return source
		}
		pointer = pointer[:max(strings.LastIndexByte(pointer, '/'), 0)]
	}
}
