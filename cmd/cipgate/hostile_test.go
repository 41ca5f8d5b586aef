package main

import (
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"filippo.io/edwards25519"
	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/events"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/sync/trust"
)

// hostile is what somebody sends who means no good, and what the gateway has to answer. status 0 is none: the connection
// is closed without an answer, or with one of 4xx.
type hostile struct {
	name   string
	send   func() (status int, text string)
	status []int
	err    string // one of RFC 8935, where the answer has one
}

// attacker holds a reseller's enrolled key, a key of its own, and a gateway to try them on.
type attacker struct {
	*gateway
	forge           // fresh claims, the enrolled key
	other forge     // the same claims, a key that nobody has enrolled
	used  string    // a token that was accepted
	x     string    // the enrolled public key, base64url
	rival *reseller // another enrolled reseller
	calls *atomic.Int64
	trap  string // an address of the attacker's
}

func (a *attacker) push(token string) func() (int, string) {
	return func() (int, string) {
		response, text := a.do(http.MethodPost, "/events", asSET, []byte(token))
		return response.StatusCode, text
	}
}

func (a *attacker) pushed(header map[string]string, body []byte) func() (int, string) {
	return func() (int, string) {
		fields := asSET.Clone()
		for name, value := range header {
			fields.Set(name, value)
		}
		response, text := a.do(http.MethodPost, "/events", fields, body)
		return response.StatusCode, text
	}
}

func newAttacker(t *testing.T, g *gateway) *attacker {
	t.Helper()
	r, rival := g.enrol("Example Cloud GmbH"), g.enrol("Rival Cloud GmbH")
	f, other := newForge(t, r, g.clock.Now()), newForge(t, rival, g.clock.Now())
	a := &attacker{gateway: g, used: f.signed(), rival: rival, calls: &atomic.Int64{}}
	if status, text := a.push(a.used)(); status != http.StatusAccepted {
		t.Fatalf("%d %s", status, text)
	}
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { a.calls.Add(1) }))
	t.Cleanup(trap.Close)
	a.trap = trap.URL
	a.forge = f.fresh()
	a.other = a.forge
	a.other.key = other.key
	a.x = encode(f.key[32:])
	return a
}

// tokens are attacks on the token itself.
func (a *attacker) tokens() []hostile {
	signed := a.signed()
	parts := strings.Split(signed, ".")
	header, claims := string(a.marshal(a.forge.header)), string(a.marshal(a.claims))
	jwk := map[string]any{"kty": "OKP", "crv": "Ed25519", "x": encode(a.other.key[32:]), "kid": a.forge.header["kid"]}
	signature := parts[2]
	raw, _ := base64.RawURLEncoding.DecodeString(signature)
	with := func(part, member string, value any) string { return a.with(part, member, value).signed() }
	mac := func(secret []byte) string {
		input := encode(a.marshal(a.with("header", "alg", "HS256").header)) + "." + parts[1]
		sum := hmac.New(sha256.New, secret)
		sum.Write([]byte(input))
		return input + "." + encode(sum.Sum(nil))
	}
	list := []hostile{
		{"HS256 keyed with the public key", a.push(mac(a.key[32:])), []int{400}, "invalid_key"},
		{"HS256 keyed with the public key's text", a.push(mac([]byte(a.x))), []int{400}, "invalid_key"},
		{"HS256 keyed with nothing", a.push(mac(nil)), []int{400}, "invalid_key"},
		{"the key of another enrolled reseller", a.push(a.other.signed()), []int{400}, "authentication_failed"},
		{"the key and the kid of another reseller", a.push(a.other.with("header", "kid", a.rival.statements.KeyID()).signed()), []int{400}, "invalid_key"},
		{"a jwk in the header, which signed", a.push(a.other.with("header", "jwk", jwk).signed()), []int{400}, "authentication_failed"},
		{"a jwk in the header, without kid", a.push(a.other.with("header", "jwk", jwk).with("header", "kid", nil).signed()), []int{400}, "invalid_key"},
		{"a jku of the attacker's", a.push(a.other.with("header", "jku", a.trap+"/jwks").signed()), []int{400}, "authentication_failed"},
		{"an x5u of the attacker's", a.push(a.other.with("header", "x5u", a.trap+"/x5u").with("header", "kid", nil).signed()), []int{400}, "invalid_key"},
		{"an x5c that is no certificate", a.push(a.other.with("header", "x5c", []string{"AAAA"}).signed()), []int{400}, "invalid_request"},
		{"an x5t of nothing", a.push(a.other.with("header", "x5t", "AAAA").signed()), []int{400}, "authentication_failed"},
		{"an issuer at an address of the attacker's", a.push(with("claims", "iss", a.trap)), []int{400}, "invalid_issuer"},
		{"a trust chain of the attacker's", a.push(a.other.with("header", "trust_chain", []string{a.trap}).signed()), []int{400}, "authentication_failed"},
		{"crit with b64", a.push(a.with("header", "crit", []string{"b64"}).with("header", "b64", false).signed()), []int{400}, "invalid_request"},
		{"an empty crit", a.push(with("header", "crit", []string{})), []int{400}, "invalid_request"},
		{"crit that names alg", a.push(with("header", "crit", []string{"alg"})), []int{400}, "invalid_request"},
		{"b64 true", a.push(with("header", "b64", true)), []int{400}, "invalid_request"},
		{"a parameter twice", a.push(a.signedText([]byte(`{"alg":"none",`+header[1:]), []byte(claims))), []int{400}, "invalid_request"},
		{"a parameter twice, once with an escape", a.push(a.signedText([]byte(`{"\u0061lg":"none",`+header[1:]), []byte(claims))), []int{400}, "invalid_request"},
		{"a parameter in another case", a.push(with("header", "ALG", "none")), []int{400}, "invalid_request"},
		{"a parameter with a Kelvin sign", a.push(with("header", "\u212aid", "x")), []int{400}, "invalid_request"},
		{"a claim twice", a.push(a.signedText([]byte(header), []byte(`{"aud":"x",`+claims[1:]))), []int{400}, "invalid_request"},
		{"a claim twice, once with an escape", a.push(a.signedText([]byte(header), []byte(`{"\u0069ss":"x",`+claims[1:]))), []int{400}, "invalid_request"},
		{"a claim in another case", a.push(with("claims", "EVENTS", map[string]any{})), []int{400}, "invalid_request"},
		{"a member twice deep inside", a.push(a.signedText([]byte(header), []byte(strings.Replace(claims, `"basis"`, `"basis":"own","basis"`, 1)))), []int{400}, "invalid_request"},
		{"unused bits", a.push(parts[0] + "." + parts[1] + "." + otherBits(signature)), []int{400}, "invalid_request"},
		{"padding", a.push(signed + "=="), []int{400}, "invalid_request"},
		{"white space inside", a.push(parts[0] + "." + parts[1][:8] + "\n" + parts[1][8:] + "." + parts[2]), []int{400}, "invalid_request"},
		{"the other alphabet", a.push(parts[0] + "." + parts[1] + "." + base64.RawStdEncoding.EncodeToString(append(bytes.Repeat([]byte{0xff}, 32), raw[32:]...))), []int{400}, "invalid_request"},
		{"a NUL behind the token", a.push(signed + "\x00"), []int{400}, "invalid_request"},
		{"a byte order mark", a.push("\ufeff" + signed), []int{400}, "invalid_request"},
		{"JSON serialization", a.push(fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, parts[0], parts[1], parts[2])), []int{400}, "invalid_request"},
		{"five parts, as a JWE has", a.push(signed + ".."), []int{400}, "invalid_request"},
		{"a signature with S and the order of the group", a.push(parts[0] + "." + parts[1] + "." + encode(malleable(raw))), []int{400}, "authentication_failed"},
		{"a signature with an R of low order and S zero", a.push(parts[0] + "." + parts[1] + "." + encode(append([]byte{1}, make([]byte, 63)...))), []int{400}, "authentication_failed"},
		{"a signature cut to half", a.push(parts[0] + "." + parts[1] + "." + encode(raw[:32])), []int{400}, "authentication_failed"},
		{"a signature with a byte more", a.push(parts[0] + "." + parts[1] + "." + encode(append(bytes.Clone(raw), 0))), []int{400}, "authentication_failed"},
		{"the signature of another token", a.push(parts[0] + "." + parts[1] + "." + strings.Split(a.used, ".")[2]), []int{400}, "authentication_failed"},
		{"the header of another algorithm over the same signature", a.push(encode(a.marshal(a.with("header", "alg", "PS256").header)) + "." + parts[1] + "." + parts[2]), []int{400}, "invalid_key"},
		{"the same jti with other claims", a.push(a.usedTwin()), []int{400}, "invalid_request"},
		{"a jti that is an object", a.push(with("claims", "jti", map[string]any{"$ne": ""})), []int{400}, "invalid_request"},
		{"a jti of SQL", a.push(a.with("claims", "jti", "'; DROP TABLE ledger_entries; --\x07").signed()), []int{400}, "invalid_request"},
		{"numbers without end", a.push(a.signedText([]byte(header), []byte(strings.Replace(claims, `"iat":`, `"iat":1e999999999,"x":`, 1)))), []int{400}, "invalid_request"},
		{"JSON nested 100,000 deep", a.push(a.signedText([]byte(header), []byte(`{"x":`+strings.Repeat("[", 90000)))), []int{400}, "invalid_request"},
		{"JSON nested in the header", a.push(a.signedText([]byte(`{"x":`+strings.Repeat(`{"x":`, 200)+"1"+strings.Repeat("}", 201)), []byte(claims))), []int{400}, "invalid_request"},
		{"30,000 members", a.push(with("claims", "events", thirtyThousand())), []int{400}, "invalid_request"},
		{"a claim of 300 KiB", a.push(with("claims", "x", strings.Repeat("x", 300<<10))), []int{413}, "invalid_request"},
		{"a lone surrogate", a.push(a.signedText([]byte(header), []byte(strings.Replace(claims, `{`, `{"x":"\ud800",`, 1)))), []int{400}, "invalid_request"},
		{"an overlong encoding", a.push(a.signedText([]byte(header), []byte(strings.Replace(claims, `{`, "{\"x\":\"\xc0\xaf\",", 1)))), []int{400}, "invalid_request"},
	}
	for _, typ := range []any{nil, "JWT", "jwt", "application/jwt", "entity-statement+jwt", "application/entity-statement+jwt", "jwk-set+jwt", "secevent+jwt;x=1", "\u017fecevent+jwt", 1} {
		list = append(list, hostile{fmt.Sprintf("typ %v", typ), a.push(with("header", "typ", typ)), []int{400}, "invalid_request"})
	}
	for _, alg := range []string{"none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "ES256", "ES256K", "RS256", "PS256", "RS1", "EdDSA ", "dir"} {
		list = append(list, hostile{"alg " + alg, a.push(with("header", "alg", alg)), []int{400}, "invalid_key"},
			hostile{"alg " + alg + " without a signature", a.push(encode(a.marshal(a.with("header", "alg", alg).header)) + "." + parts[1] + "."), []int{400}, "invalid_key"})
	}
	return list
}

func thirtyThousand() map[string]any {
	event := map[string]any{}
	for i := range 12000 {
		event[fmt.Sprint("m", i)] = 1
	}
	return map[string]any{statement.KindCIPAttestation.URI(): event}
}

// usedTwin is another statement under the jti that was used.
func (a *attacker) usedTwin() string {
	parts := strings.Split(a.used, ".")
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		a.gateway.t.Fatal(err)
	}
	return a.signedText(a.marshal(a.forge.header), bytes.Replace(text, []byte("2025-01-15"), []byte("2025-01-14"), 1))
}

// otherBits sets an unused bit of the last character.
func otherBits(text string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, text[len(text)-1])
	return text[:len(text)-1] + string(alphabet[last^1])
}

// malleable adds the order of the group to S: the same equation, another signature (RFC 8032, section 8.4).
func malleable(signature []byte) []byte {
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	s := slices.Clone(signature[32:])
	slices.Reverse(s)
	s = new(big.Int).Add(new(big.Int).SetBytes(s), order).FillBytes(make([]byte, 32))
	slices.Reverse(s)
	return append(slices.Clone(signature[:32]), s...)
}

// bodies are attacks on the HTTP body.
func (a *attacker) bodies() []hostile {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, err := w.Write(bytes.Repeat([]byte("A"), 50<<20))
	if err = errors.Join(err, w.Close()); err != nil {
		a.gateway.t.Fatal(err)
	}
	token := []byte(a.signed())
	list := []hostile{
		{"a bomb without its encoding named", a.pushed(nil, zipped.Bytes()), []int{400}, "invalid_request"},
		{"two content types", a.pushed(map[string]string{"Content-Type": "application/secevent+jwt, text/plain"}, token), []int{415}, "invalid_request"},
		{"a form", a.pushed(map[string]string{"Content-Type": "multipart/form-data; boundary=x"}, token), []int{415}, "invalid_request"},
	}
	for _, encoding := range []string{"gzip", "GZIP", "deflate", "br", "zstd", "identity", "gzip, gzip", "x"} {
		list = append(list, hostile{"Content-Encoding " + encoding, a.pushed(map[string]string{"Content-Encoding": encoding}, zipped.Bytes()), []int{415}, "invalid_request"})
	}
	return list
}

// wire are attacks on HTTP/1.1 itself. Each carries a token that would be accepted where it must not be seen.
func (a *attacker) wire() []hostile {
	inner := "POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/secevent+jwt\r\nContent-Length: %d\r\n\r\n%s"
	smuggled := func() string {
		token := a.fresh().signed()
		return fmt.Sprintf(inner, len(token), token)
	}
	post := func(fields, body string) string {
		return "POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/secevent+jwt\r\n" + fields + "\r\n" + body
	}
	chunk := func(text string) string { return fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(text), text) }
	refused := []int{0, 400, 405, 413, 415, 431, 501}
	raw := func(name, text string) hostile {
		return hostile{name, func() (int, string) { return a.raw(text, true) }, refused, ""}
	}
	token := a.fresh().signed()
	return []hostile{
		raw("Content-Length and chunks, the length first", post("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"+smuggled())),
		raw("chunks and Content-Length, the chunks first", post("Transfer-Encoding: chunked\r\nContent-Length: 6\r\n", "0\r\n\r\n"+smuggled())),
		raw("a length that ends inside the chunks", post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", chunk(smuggled()))),
		raw("two codings, the second unknown", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n", "0\r\n\r\n"+smuggled())),
		raw("two codings in one field", post("Transfer-Encoding: cow, chunked\r\n", "0\r\n\r\n"+smuggled())),
		raw("chunked twice", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"+smuggled())),
		raw("a coding that is almost chunked", post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"+smuggled())),
		raw("a tab before the coding's end", post("Transfer-Encoding: chunked\x0b\r\n", "0\r\n\r\n"+smuggled())),
		raw("identity beside a length", post("Transfer-Encoding: identity\r\nContent-Length: 0\r\n", smuggled())),
		raw("a space before the colon", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"+smuggled())),
		raw("a space before the length's colon", post("Content-Length : 5\r\n", "x.y.z"+smuggled())),
		raw("two lengths", post("Content-Length: 0\r\nContent-Length: 5\r\n", smuggled())),
		raw("two lengths in one field", post("Content-Length: 0, 5\r\n", smuggled())),
		raw("a length with a sign", post("Content-Length: +5\r\n", "x.y.z"+smuggled())),
		raw("a negative length", post("Content-Length: -1\r\n", smuggled())),
		raw("a length in hexadecimal", post("Content-Length: 0x5\r\n", "x.y.z"+smuggled())),
		raw("a length without end", post("Content-Length: 99999999999999999999\r\n", smuggled())),
		raw("a folded field", post("X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "x.y.z")),
		raw("a bare LF between fields", "POST /events HTTP/1.1\nHost: x\nContent-Type: application/secevent+jwt\nTransfer-Encoding: chunked\nContent-Length: 5\n\n0\n\n"+smuggled()),
		raw("a bare CR in a field", post("X: y\rTransfer-Encoding: chunked\r\nContent-Length: 0\r\n", "")),
		raw("a NUL in a field", post("X: y\x00z\r\nContent-Length: 5\r\n", "x.y.z")),
		raw("chunk sizes with a bare LF", post("Transfer-Encoding: chunked\r\n", fmt.Sprintf("%x\n%s\n0\n\n", len(token), token))),
		raw("a chunk extension with a line break", post("Transfer-Encoding: chunked\r\n", fmt.Sprintf("%x;x=\"\n\"\r\n%s\r\n0\r\n\r\n", len(token), token))),
		raw("a chunk size with a sign", post("Transfer-Encoding: chunked\r\n", fmt.Sprintf("+%x\r\n%s\r\n0\r\n\r\n", len(token), token))),
		raw("a chunk size in 0x", post("Transfer-Encoding: chunked\r\n", fmt.Sprintf("0x%x\r\n%s\r\n0\r\n\r\n", len(token), token))),
		raw("a chunk size without end", post("Transfer-Encoding: chunked\r\n", "ffffffffffffffffff\r\n"+token)),
		raw("a chunk longer than it says", post("Transfer-Encoding: chunked\r\n", "5\r\n"+token+"\r\n0\r\n\r\n")),
		raw("chunks over every limit", post("Transfer-Encoding: chunked\r\n", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", 2<<20, strings.Repeat("x", 2<<20)))),
		raw("a method with a body that is ignored", "GET /events HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nx.y.z"),
		raw("an older version with chunks", "POST /events HTTP/1.0\r\nContent-Type: application/secevent+jwt\r\nTransfer-Encoding: chunked\r\n\r\n"+chunk(token)),
		raw("no HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
		raw("a header of 64 KiB", post("X: "+strings.Repeat("x", 64<<10)+"\r\nContent-Length: 0\r\n", "")),
	}
}

// slow are senders that never end what they began. The server ends it.
func (a *attacker) slow() []hostile {
	token := a.fresh().signed()
	trickle := func(name, text string) hostile {
		return hostile{name, func() (int, string) { return a.raw(text, false) }, []int{0, 400, 408}, ""}
	}
	return []hostile{
		trickle("a header that never ends", "POST /events HTTP/1.1\r\nHost: x\r\nX: "),
		trickle("nothing at all", ""),
		trickle("a body that never ends", fmt.Sprintf("POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/secevent+jwt\r\nContent-Length: %d\r\n\r\n%s", len(token)+1, token)),
		trickle("chunks that never end", fmt.Sprintf("POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/secevent+jwt\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s", len(token), token)),
	}
}

// raw sends bytes on a connection of its own, ends its side or not, and reads until the server closes it. Of several answers the worst counts.
func (a *attacker) raw(text string, ends bool) (int, string) {
	connection, err := net.Dial("tcp", strings.TrimPrefix(a.base, "http://"))
	if err != nil {
		a.gateway.t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		a.gateway.t.Fatal(err)
	}
	go func() { // the server may close before all is written
		if _, err := io.WriteString(connection, text); err == nil && ends {
			_ = connection.(*net.TCPConn).CloseWrite()
		}
	}()
	answer, err := io.ReadAll(connection)
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		a.gateway.t.Errorf("the server let the connection stay open")
	}
	worst := 0
	for _, found := range regexp.MustCompile(`HTTP/1\.1 (\d{3})`).FindAllStringSubmatch(string(answer), -1) {
		var status int
		if _, err := fmt.Sscan(found[1], &status); err != nil {
			a.gateway.t.Fatal(err)
		}
		if status == http.StatusAccepted || worst != http.StatusAccepted {
			worst = status
		}
	}
	return worst, string(answer)
}

// keys are attacks at enrolment: keys that let a signer deny what it signed, or others sign in its name.
func (a *attacker) keys() []hostile {
	enrolled := encode(a.key[32:])
	okp := func(x string) string {
		return fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","kid":"k","use":"sig","x":%q}`, x)
	}
	point := func(hex string) string { return okp(encode(unhex(hex))) }
	list := []hostile{
		{"a key of another reseller", a.enrols(okp(enrolled)), []int{409, 422}, ""},
		{"the identity as a key", a.enrols(point("0100000000000000000000000000000000000000000000000000000000000000")), []int{422}, ""},
		{"a key of order two", a.enrols(point("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")), []int{422}, ""},
		{"a key of order four", a.enrols(point("0000000000000000000000000000000000000000000000000000000000000000")), []int{422}, ""},
		{"a key of order eight", a.enrols(point("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")), []int{422}, ""},
		{"a key of mixed order", a.enrols(okp(encode(mixedOrder(a.key[32:])))), []int{422}, ""},
		{"a key that is no point", a.enrols(okp(encode(bytes.Repeat([]byte{2}, 32)))), []int{422}, ""},
		{"an RSA key of 1024 bits", a.enrols(rsaKey(a.gateway.t, 1024, 65537)), []int{422}, ""},
		{"an RSA key with exponent 3", a.enrols(rsaKey(a.gateway.t, 2048, 3)), []int{422}, ""},
		{"an RSA key with exponent 1", a.enrols(rsaKey(a.gateway.t, 2048, 1)), []int{422}, ""},
		{"a secret key", a.enrols(`{"kty":"oct","kid":"k","k":"AAAA"}`), []int{422}, ""},
		{"a private key", a.enrols(strings.TrimSuffix(okp(enrolled), "}") + `,"d":"` + enrolled + `"}`), []int{422}, ""},
		{"two keys of one kid", a.enrols(okp(enrolled) + "," + okp(encode(a.other.key[32:]))), []int{409, 422}, ""},
		{"a key to encrypt with alone", a.enrols(`{"kty":"EC","crv":"P-256","kid":"k","use":"enc","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`), []int{422}, ""},
		{"a point that is not on the curve", a.enrols(`{"kty":"EC","crv":"P-256","kid":"k","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1"}`), []int{422}, ""},
	}
	return list
}

// enrols tries to enrol an entity whose statement keys are these.
func (a *attacker) enrols(keys string) func() (int, string) {
	return func() (int, string) {
		var invitation invited
		err := newClient(a.base, a.token).post(a.gateway.t.Context(), "/v1/invitations",
			map[string]string{"name": "Weak Cloud GmbH", "country": "DE", "contact": "compliance@example.com"}, &invitation)
		if err != nil {
			a.gateway.t.Fatal(err)
		}
		path := filepath.Join(a.gateway.t.TempDir(), "federation.pem")
		if err := makeKey(path); err != nil {
			a.gateway.t.Fatal(err)
		}
		key, err := readKey(path)
		if err != nil {
			a.gateway.t.Fatal(err)
		}
		federation, err := envelope.NewSigner(key)
		if err != nil {
			a.gateway.t.Fatal(err)
		}
		configuration, err := trust.Reseller{Entity: envelope.Entity(invitation.Entity), Superior: envelope.Entity(a.base), Audience: envelope.Entity(a.base),
			Federation: federation, Statements: []byte(`{"keys":[` + keys + `]}`), Lifetime: time.Hour}.Configuration(a.clock.Now())
		if err != nil {
			a.gateway.t.Fatal(err)
		}
		_, token, _ := strings.Cut(invitation.URL, "#")
		response, text := a.do(http.MethodPost, "/enrolments", http.Header{"Content-Type": {"application/entity-statement+jwt"}, "Authorization": {"Bearer " + token}}, configuration)
		return response.StatusCode, text
	}
}

func rsaKey(t *testing.T, bits, exponent int) string {
	t.Helper()
	p, err1 := rand.Prime(rand.Reader, bits/2)
	q, err2 := rand.Prime(rand.Reader, bits/2)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	public := rsa.PublicKey{N: new(big.Int).Mul(p, q), E: exponent}
	return fmt.Sprintf(`{"kty":"RSA","kid":"k","use":"sig","n":%q,"e":%q}`, encode(public.N.Bytes()), encode(big.NewInt(int64(public.E)).Bytes()))
}

func unhex(text string) []byte {
	n, _ := new(big.Int).SetString(text, 16)
	return n.FillBytes(make([]byte, len(text)/2))
}

// mixedOrder adds a point of order two to a key.
func mixedOrder(public []byte) []byte {
	key, err1 := new(edwards25519.Point).SetBytes(public)
	two, err2 := new(edwards25519.Point).SetBytes(unhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"))
	if err := errors.Join(err1, err2); err != nil {
		panic(err)
	}
	return key.Add(key, two).Bytes()
}

func TestWhatIsHostileIsRefusedAndNothingIsStored(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		g := startGateway(t, database, func(c *Config) { c.Timeout = 1 })
		a := newAttacker(t, g)
		g.settled()
		size := g.size()
		for _, attack := range slices.Concat(a.tokens(), a.bodies(), a.wire(), a.slow(), a.keys()) {
			t.Run(attack.name, func(t *testing.T) {
				a.gateway.t, a.forge.t, a.other.t = t, t, t
				status, text := attack.send()
				var told struct {
					Err string `json:"err"`
				}
				if attack.err != "" {
					if err := json.Unmarshal([]byte(text), &told); err != nil {
						t.Errorf("%q: %v", text, err)
					}
				}
				if !slices.Contains(attack.status, status) || told.Err != attack.err {
					t.Errorf("got %d %s, wanted %d %s: %.300s", status, told.Err, attack.status, attack.err, text)
				}
				if after := g.size(); after != size {
					t.Errorf("the ledger grew from %d to %d", size, after)
					size = after
				}
			})
		}
		a.gateway.t, a.forge.t = t, t
		if a.calls.Load() != 0 {
			t.Errorf("the gateway called an address of the attacker's %d times", a.calls.Load())
		}
		// Replays are no attack that works: the same is the same.
		for name, token := range map[string]string{"the same bytes": a.used, "signed again with another iat": a.usedAgain()} {
			if status, text := a.push(token)(); status != http.StatusAccepted {
				t.Errorf("%s: %d %s", name, status, text)
			}
		}
		if after := g.size(); after != size {
			t.Errorf("a replay was stored: %d and %d", size, after)
		}
		// After all of it the gateway still works.
		token := a.fresh().signed()
		if status, text := a.raw(fmt.Sprintf("POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/secevent+jwt\r\nTransfer-Encoding: chunked\r\n\r\n"+
			"10\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", token[:16], len(token)-16, token[16:]), true); status != http.StatusAccepted {
			t.Errorf("what the attacks on HTTP/1.1 carried, well formed: %d %s", status, text)
		}
		if status, text := a.push(a.fresh().signed())(); status != http.StatusAccepted {
			t.Errorf("%d %s", status, text)
		}
		if _, text := g.do(http.MethodGet, "/metrics", nil, nil); !strings.Contains(text, `cipgate_requests_refused_total{code="invalid_key"`) {
			t.Error("the refusals were not counted")
		}
	})
}

// usedAgain is the used statement, signed again by a stock sender with the time of its second try.
func (a *attacker) usedAgain() string {
	parts := strings.Split(a.used, ".")
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		a.gateway.t.Fatal(err)
	}
	again := regexp.MustCompile(`"iat":\d+`).ReplaceAll(text, fmt.Appendf(nil, `"iat":%d`, a.clock.Now().Unix()-7))
	return a.signedText(a.marshal(a.forge.header), again)
}

func TestASlowStreamIsEndedAndWhatCameInStands(t *testing.T) {
	g := startGateway(t, "", func(c *Config) { c.Timeout = 0.5 })
	f := newForge(t, g.enrol("Example Cloud GmbH"), g.clock.Now())
	s := g.stream()
	s.send(f.signed() + "\n" + f.fresh().signed()[:20])
	if got, _ := s.next(); got.Status != events.Accepted {
		t.Errorf("%+v", got)
	}
	if got, ok := s.next(); !ok || got.Status != events.Refused || !strings.Contains(got.Description, "no whole line arrived within") {
		t.Errorf("a line that never ends: %+v", got)
	}
	if more, ok := s.next(); ok {
		t.Errorf("one line too many: %+v", more)
	}
}
