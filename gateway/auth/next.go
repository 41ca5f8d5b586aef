package auth

import (
	"net/url"
	"strings"
)

// home is where a person goes who was going nowhere else.
const home = "/resellers"

// LocalPath returns next if it is the path of a page of this gateway, with or without a query, and the list
// of resellers else: a sign-in must not send anybody to another site. Browsers read \ as / and pass over
// control characters, so neither is taken.
func LocalPath(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsFunc(next, notOfAPath) {
		return home
	}
	to, err := url.Parse(next)
	if err != nil || to.IsAbs() || to.Host != "" || to.Path == "/sign-in" || strings.HasPrefix(to.Path, "//") {
		return home
	}
	return to.RequestURI()
}

func notOfAPath(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }
