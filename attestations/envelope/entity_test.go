package envelope

import (
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseEntityTakes(t *testing.T) {
	for _, text := range []string{
		"https://reseller.example",
		"https://gateway.example/e/acme",
		"https://gateway.example:8443/e/acme",
		"https://gateway/x",
		"https://xn--bcher-kva.example/A-Z_~.a",
		"https://192.0.2.1",
		"https://[2001:db8::1]:8443/x",
		"https://3com.example",
		"http://localhost:8080",
		"http://localhost/e/a",
		"http://127.0.0.1:41234/e/a",
		"http://[::1]:8080",
		"https://a.b/" + strings.Repeat("p", MaxEntity-len("https://a.b/")),
	} {
		t.Run(text[:min(len(text), 60)], func(t *testing.T) {
			if entity, err := ParseEntity(text); err != nil || string(entity) != text {
				t.Errorf("got %q, %v", entity, err)
			}
		})
	}
}

func TestParseEntityRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":                    "",
		"no scheme":                  "reseller.example",
		"no host":                    "https://",
		"no host but a path":         "https:///x",
		"one slash":                  "https:/reseller.example",
		"another scheme":             "ftp://reseller.example",
		"a scheme in capitals":       "HTTPS://reseller.example",
		"http":                       "http://reseller.example",
		"http and a loopback prefix": "http://localhost.evil.example",
		"http and localhost behind":  "http://evil.localhost",
		"http and a private address": "http://192.168.0.1",
		"a host in capitals":         "https://Reseller.example",
		"a host with an umlaut":      "https://bücher.example",
		"a host with an underscore":  "https://a_b.example",
		"a host with a dot behind":   "https://reseller.example.",
		"a host with two dots":       "https://reseller..example",
		"a host with a hyphen first": "https://-a.example",
		"a host with a hyphen last":  "https://a-.example",
		"a label of 64":              "https://" + strings.Repeat("a", 64) + ".example",
		"a host of 254":              "https://" + strings.Repeat("a.", 126) + "aa",
		"a user":                     "https://user@reseller.example",
		"a password":                 "https://user:x@reseller.example",
		"a query":                    "https://reseller.example?x",
		"an empty query":             "https://reseller.example/a?",
		"a fragment":                 "https://reseller.example#x",
		"an empty fragment":          "https://reseller.example/a#",
		"a slash behind":             "https://reseller.example/",
		"a slash behind the path":    "https://reseller.example/e/",
		"two slashes":                "https://reseller.example//e",
		"a dot":                      "https://reseller.example/./e",
		"two dots":                   "https://reseller.example/e/..",
		"percent-encoding":           "https://reseller.example/%65",
		"a backslash":                `https://reseller.example\e`,
		"a backslash in the path":    `https://reseller.example/a\b`,
		"a blank":                    "https://reseller.example/a b",
		"a tab":                      "https://reseller.example/a\t",
		"a line break":               "https://reseller.example\n",
		"NUL":                        "https://reseller.example/\x00",
		"invalid UTF-8":              "https://reseller.example/\xff",
		"HTML":                       "https://reseller.example/<b>",
		"a quotation mark":           "https://reseller.example/a'b",
		"a sub-delimiter":            "https://reseller.example/a!",
		"the usual port":             "https://reseller.example:443",
		"the usual port of http":     "http://localhost:80",
		"an empty port":              "https://reseller.example:",
		"port 0":                     "https://reseller.example:0",
		"a port with zeros":          "https://reseller.example:08443",
		"a port with a sign":         "https://reseller.example:+8443",
		"a port too high":            "https://reseller.example:65536",
		"a port of letters":          "https://reseller.example:https",
		"IPv4 in short":              "https://127.1",
		"IPv4 with zeros":            "https://127.0.0.01",
		"IPv4 as one number":         "https://2130706433",
		"IPv4 in hexadecimal":        "https://0x7f.0.0.1",
		"IPv4 in hexadecimal behind": "https://127.0x1",
		"IPv6 without brackets":      "https://2001:db8::1",
		"IPv6 not in its short form": "https://[2001:db8:0::1]",
		"IPv6 in capitals":           "https://[2001:DB8::1]",
		"IPv6 with a zone":           "https://[fe80::1%eth0]",
		"IPv4 inside IPv6":           "http://[::ffff:127.0.0.1]",
		"IPv4 in brackets":           "http://[127.0.0.1]",
		"IPv6 not closed":            "https://[2001:db8::1",
		"something behind brackets":  "https://[2001:db8::1]x",
		"longer than an identifier":  "https://a.b/" + strings.Repeat("p", MaxEntity),
	} {
		t.Run(name, func(t *testing.T) {
			entity, err := ParseEntity(text)
			faultOf(t, err, ErrMalformed)
			if entity != "" {
				t.Errorf("got %q beside the error", entity)
			}
		})
	}
}

func TestAnAcceptedEntityMeansTheSameToAURLParser(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.StringMatching(`https?://[a-z0-9.\-\[\]:@%]{0,20}(:[0-9]{0,5})?(/[ -~]{0,8}){0,3}`),
			rapid.StringMatching(`https://[a-z]{1,9}\.example(:[1-9][0-9]{0,4})?(/[a-z.%?#:@]{1,4}){0,3}`),
		).Draw(t, "text")
		if _, err := ParseEntity(text); err != nil {
			return
		}
		u, err := url.Parse(text)
		if err != nil || u.String() != text || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Host == "" || u.RawPath != "" {
			t.Fatalf("url.Parse reads %q as %#v, %v", text, u, err)
		}
		if cleaned := u.JoinPath(); cleaned.Path != u.Path && u.Path != "" {
			t.Fatalf("%q has another path when cleaned: %q", text, cleaned.Path)
		}
	})
}

func TestIDsAndDigestsReadBackWhatTheyWrite(t *testing.T) {
	id := Entity(reseller).ID()
	if again, err := ParseID(id.String()); err != nil || again != id {
		t.Errorf("got %v, %v", again, err)
	}
	// printf %s https://reseller.example | openssl dgst -sha256 -binary | basenc --base64url
	if id.String() != "0KJp8fOu3JXsuafn8MYrXJ3CwfHxDMTQiBR9pNIinTc" {
		t.Errorf("got %s", id)
	}
	digest := DigestOf([]byte("a.b.c"))
	if again, err := ParseDigest(digest.String()); err != nil || again != digest {
		t.Errorf("got %v, %v", again, err)
	}
	text := digest.String()
	for name, bad := range map[string]string{
		"nothing":          "",
		"padding":          text + "=",
		"a character less": text[:42],
		"a character more": text + "A",
		"a line break":     text[:42] + "\n",
		"a line break in":  text[:20] + "\n" + text[21:],
		"unused bits":      text[:42] + string(text[42]+1),
		"standard base64":  strings.Repeat("+", 43),
	} {
		if _, err := ParseDigest(bad); err == nil {
			t.Errorf("a digest with %s was read", name)
		}
		if _, err := ParseID(bad); err == nil {
			t.Errorf("an ID with %s was read", name)
		}
	}
}
