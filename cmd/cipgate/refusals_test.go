package main

import (
	"bufio"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// forge builds tokens by hand, with the reseller's own key, so that they can be wrong in every way.
type forge struct {
	t      *testing.T
	key    ed25519.PrivateKey
	header map[string]any
	claims map[string]any
}

func newForge(t *testing.T, r *reseller, now time.Time) forge {
	t.Helper()
	key, err := readKey(filepath.Join(r.home, "statement.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return forge{t: t, key: key,
		header: map[string]any{"alg": "EdDSA", "typ": "secevent+jwt", "kid": r.statements.KeyID()},
		claims: map[string]any{"iss": string(r.about.Entity), "aud": string(r.about.Audience), "iat": now.Unix(),
			"jti": uuid.NewString(), "events": map[string]any{statement.KindCIPAttestation.URI(): attestation()}},
	}
}

func encode(part []byte) string { return base64.RawURLEncoding.EncodeToString(part) }

func (f forge) marshal(value any) []byte {
	f.t.Helper()
	text, err := json.Marshal(value, json.Deterministic(true))
	if err != nil {
		f.t.Fatal(err)
	}
	return text
}

// signed signs the header and claims as they are.
func (f forge) signed() string { return f.signedText(f.marshal(f.header), f.marshal(f.claims)) }

// signedText signs two texts, whatever they are.
func (f forge) signedText(header, claims []byte) string {
	input := encode(header) + "." + encode(claims)
	return input + "." + encode(ed25519.Sign(f.key, []byte(input)))
}

// with returns a forge whose header or claims differ in one member; nil takes the member away.
func (f forge) with(part, member string, value any) forge {
	f.header, f.claims = maps.Clone(f.header), maps.Clone(f.claims)
	changed := map[string]map[string]any{"header": f.header, "claims": f.claims}[part]
	if value == nil {
		delete(changed, member)
	} else {
		changed[member] = value
	}
	return f
}

// event returns a forge whose attestation differs in one member; nil takes the member away.
func (f forge) event(member string, value any) forge {
	event := attestation()
	if value == nil {
		delete(event, member)
	} else {
		event[member] = value
	}
	return f.with("claims", "events", map[string]any{statement.KindCIPAttestation.URI(): event})
}

// states returns a forge of the smallest statement of another kind, without a sub_id.
func (f forge) states(kind statement.Kind) forge {
	return f.with("claims", "events", map[string]any{kind.URI(): jsontext.Value(statement.Example(kind))})
}

// about returns a forge of an event about a customer.
func (f forge) about(kind statement.Kind, event string) forge {
	return f.with("claims", "events", map[string]any{kind.URI(): jsontext.Value(event)}).
		with("claims", "sub_id", map[string]any{"format": "opaque", "id": "customer-1"})
}

func (f forge) forwards(now time.Time, set string) forge {
	return f.with("claims", "events", map[string]any{statement.KindForwarded.URI(): map[string]any{"received_at": now.UTC().Format("2006-01-02T15:04:05Z"), "set": set}})
}

func (f forge) seals(now time.Time) forge {
	return f.with("claims", "events", map[string]any{statement.KindForwarded.URI(): map[string]any{"received_at": now.UTC().Format("2006-01-02T15:04:05Z"), "jwe": "e30.AA.AA.AA.AA"}})
}

// names returns a forge of a verification that says who the person is.
func (f forge) names() forge {
	example := string(statement.Example(statement.KindCustomerVerification))
	return f.about(statement.KindCustomerVerification, strings.Replace(example, "{", `{"identity":{"name":"Ana Secret"},`, 1))
}

// trains returns a forge of a report with a field that no policy asks for.
func (f forge) trains() forge {
	example := string(statement.Example(statement.KindAITraining))
	return f.about(statement.KindAITraining, strings.Replace(example, "{", `{"fields":[{"name":"shoe_size","value":"43"}],`, 1))
}

// public is the forge's key as a JWK.
func (f forge) public() map[string]any {
	return map[string]any{"kty": "OKP", "crv": "Ed25519", "x": encode(f.key.Public().(ed25519.PublicKey))}
}

func (f forge) keyAt(r *reseller, name string) ed25519.PrivateKey {
	f.t.Helper()
	key, err := readKey(filepath.Join(r.home, name))
	if err != nil {
		f.t.Fatal(err)
	}
	return key
}

// withUnusedBits writes a part so that it decodes to the same bytes and is another text: the last of 86 characters has four bits
// that mean nothing.
func withUnusedBits(part string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, part[len(part)-1])
	return part[:len(part)-1] + alphabet[last+1:last+2]
}

func TestEveryRefusalNamesWhatIsWrongAndWhatToDoAndStoresNothing(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		g := startGateway(t, database, nil)
		r := g.enrol("Example Cloud GmbH")
		now := g.clock.Now()
		good := newForge(t, r, now)
		plain := func(token string) func() (http.Header, string) {
			return func() (http.Header, string) {
				return http.Header{"Content-Type": {"application/secevent+jwt"}}, token
			}
		}
		used := good.signed()
		if response, text := g.do(http.MethodPost, "/events", http.Header{"Content-Type": {"application/secevent+jwt"}}, []byte(used)); response.StatusCode != http.StatusAccepted {
			t.Fatalf("the token that every case changes was not taken: %d %s", response.StatusCode, text)
		}
		g.settled() // what it did to the standing is stated before anything is counted
		fresh := good.with("claims", "jti", uuid.NewString())
		deep := `{"iss":"` + string(r.about.Entity) + `","x":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`
		claims := string(fresh.marshal(fresh.claims))
		header := string(fresh.marshal(fresh.header))
		parts := strings.Split(fresh.signed(), ".")
		forger, federation, another := fresh, fresh, fresh
		forger.key = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
		federation.key = fresh.keyAt(r, "federation.pem")
		federation = federation.with("header", "kid", r.federation.KeyID())
		stranger := g.enrol("Another Cloud GmbH")
		another.key = fresh.keyAt(stranger, "statement.pem")
		another = another.with("header", "kid", stranger.statements.KeyID())
		g.settled()

		for _, c := range []struct {
			name   string
			send   func() (http.Header, string)
			status int
			err    string
			says   []string
		}{
			{"no content type", func() (http.Header, string) { return http.Header{}, fresh.signed() }, 415, "invalid_request", []string{"Content-Type", "application/secevent+jwt"}},
			{"another content type", func() (http.Header, string) {
				return http.Header{"Content-Type": {"application/json"}}, fresh.signed()
			}, 415, "invalid_request", []string{"Content-Type: wanted application/secevent+jwt", "application/json"}},
			{"a compressed body", func() (http.Header, string) {
				return http.Header{"Content-Type": {"application/secevent+jwt"}, "Content-Encoding": {"gzip"}}, fresh.signed()
			}, 415, "invalid_request", []string{"Content-Encoding", "not compressed"}},
			{"a body over 256 KiB", plain(fresh.with("claims", "x", strings.Repeat("x", 300<<10)).signed()), 413, "invalid_request", []string{"262144"}},
			{"an empty body", plain(""), 400, "invalid_request", []string{"wanted"}},
			{"no JWS", plain("hello"), 400, "invalid_request", []string{"wanted"}},
			{"white space around the token", plain(fresh.signed() + "\n"), 400, "invalid_request", []string{"wanted"}},
			{"padding in a part", plain(parts[0] + "=." + parts[1] + "." + parts[2]), 400, "invalid_request", []string{"wanted"}},
			{"a header over 16 KiB", plain(fresh.with("header", "x", strings.Repeat("x", 17<<10)).signed()), 400, "invalid_request", []string{"header"}},
			{"white space in a part", plain(parts[0] + "." + parts[1] + " ." + parts[2]), 400, "invalid_request", []string{"wanted"}},
			{"unused bits in a part", plain(parts[0] + "." + parts[1] + "." + withUnusedBits(parts[2])), 400, "invalid_request", []string{"wanted"}},
			{"four parts", plain(fresh.signed() + ".AA"), 400, "invalid_request", []string{"wanted"}},
			{"a header over 64 KiB with a trust_chain", plain(fresh.with("header", "trust_chain", []string{strings.Repeat("x", 65<<10)}).signed()), 400, "invalid_request", []string{"header"}},
			{"a header parameter in the wrong case", plain(fresh.with("header", "Kid", "x").signed()), 400, "invalid_request", []string{"Kid"}},
			{"a header that is no object", plain(fresh.signedText([]byte(`"x"`), []byte(claims))), 400, "invalid_request", []string{"header"}},
			{"another typ", plain(fresh.with("header", "typ", "JWT").signed()), 400, "invalid_request", []string{"/header/typ", "secevent+jwt"}},
			{"no typ", plain(fresh.with("header", "typ", nil).signed()), 400, "invalid_request", []string{"/header/typ"}},
			{"crit", plain(fresh.with("header", "crit", []string{"x"}).signed()), 400, "invalid_request", []string{"crit"}},
			{"b64", plain(fresh.with("header", "b64", false).signed()), 400, "invalid_request", []string{"b64"}},
			{"a header member twice", plain(fresh.signedText([]byte(strings.Replace(header, `{`, `{"kid":"x",`, 1)), []byte(claims))), 400, "invalid_request", []string{"kid"}},
			{"a claim twice", plain(fresh.signedText([]byte(header), []byte(strings.Replace(claims, `{`, `{"iss":"https://x.example",`, 1)))), 400, "invalid_request", []string{"iss"}},
			{"a claim in the wrong case", plain(fresh.with("claims", "Iss", "x").signed()), 400, "invalid_request", []string{"Iss"}},
			{"trailing data", plain(fresh.signedText([]byte(header), []byte(claims+"{}"))), 400, "invalid_request", []string{"wanted"}},
			{"invalid UTF-8", plain(fresh.signedText([]byte(header), []byte(strings.Replace(claims, `{`, "{\"x\":\"\xff\",", 1)))), 400, "invalid_request", []string{"UTF-8"}},
			{"depth over 64", plain(fresh.signedText([]byte(header), []byte(deep))), 400, "invalid_request", []string{"64"}},
			{"no iss", plain(fresh.with("claims", "iss", nil).signed()), 400, "invalid_request", []string{"iss"}},
			{"an issuer that is not enrolled", plain(fresh.with("claims", "iss", "https://stranger.example").signed()), 400, "invalid_issuer", []string{"/claims/iss", "Enrol"}},
			{"no kid", plain(fresh.with("header", "kid", nil).signed()), 400, "invalid_key", []string{"kid"}},
			{"an unknown kid", plain(fresh.with("header", "kid", "other").signed()), 400, "invalid_key", []string{"kid"}},
			{"alg none", plain(fresh.with("header", "alg", "none").signed()), 400, "invalid_key", []string{"alg"}},
			{"alg HS256", plain(fresh.with("header", "alg", "HS256").signed()), 400, "invalid_key", []string{"alg"}},
			{"an alg that does not fit the key", plain(fresh.with("header", "alg", "ES256").signed()), 400, "invalid_key", []string{"alg"}},
			{"a key in its own header", plain(forger.with("header", "jwk", forger.public()).signed()), 400, "authentication_failed", []string{"signature"}},
			{"a key behind jku", plain(forger.with("header", "jku", g.base+"/jwks.json").signed()), 400, "authentication_failed", []string{"signature"}},
			{"the federation key", plain(federation.signed()), 400, "invalid_key", []string{"kid"}},
			{"another reseller's key", plain(another.signed()), 400, "invalid_key", []string{"kid"}},
			{"an altered signature", plain(parts[0] + "." + parts[1] + "." + encode(make([]byte, 64))), 400, "authentication_failed", []string{"signature"}},
			{"an empty signature", plain(parts[0] + "." + parts[1] + "."), 400, "authentication_failed", []string{"signature"}},
			{"altered claims", plain(parts[0] + "." + encode([]byte(strings.Replace(claims, "own", "wwn", 1)+" ")) + "." + parts[2]), 400, "authentication_failed", []string{"signature"}},
			{"another audience", plain(fresh.with("claims", "aud", "https://other.example").signed()), 400, "invalid_audience", []string{"aud", g.base}},
			{"no audience", plain(fresh.with("claims", "aud", nil).signed()), 400, "invalid_audience", []string{"aud"}},
			{"no iat", plain(fresh.with("claims", "iat", nil).signed()), 400, "invalid_request", []string{"iat"}},
			{"iat ahead", plain(fresh.with("claims", "iat", now.Add(2*time.Minute).Unix()).signed()), 400, "invalid_request", []string{"iat"}},
			{"iat too old", plain(fresh.with("claims", "iat", now.Add(-31*24*time.Hour).Unix()).signed()), 400, "invalid_request", []string{"iat"}},
			{"no jti", plain(fresh.with("claims", "jti", nil).signed()), 400, "invalid_request", []string{"jti"}},
			{"an empty jti", plain(fresh.with("claims", "jti", "").signed()), 400, "invalid_request", []string{"jti", "1 to 255"}},
			{"a jti of 256 characters", plain(fresh.with("claims", "jti", strings.Repeat("x", 256)).signed()), 400, "invalid_request", []string{"jti", "255"}},
			{"a jti with HTML's worst and a line break", plain(fresh.with("claims", "jti", "<script>\n").signed()), 400, "invalid_request", []string{"jti"}},
			{"no event", plain(fresh.with("claims", "events", map[string]any{}).signed()), 400, "invalid_request", []string{"events"}},
			{"two events", plain(fresh.with("claims", "events", map[string]any{statement.KindCIPAttestation.URI(): attestation(), "urn:x": map[string]any{}}).signed()), 400, "invalid_request", []string{"events"}},
			{"an event type nobody knows", plain(fresh.with("claims", "events", map[string]any{"urn:example:x": map[string]any{}}).signed()), 400, "invalid_request", []string{"events"}},
			{"exp", plain(fresh.with("claims", "exp", now.Add(time.Hour).Unix()).signed()), 400, "invalid_request", []string{"exp"}},
			{"nbf", plain(fresh.with("claims", "nbf", now.Unix()).signed()), 400, "invalid_request", []string{"nbf"}},
			{"sub", plain(fresh.with("claims", "sub", "x").signed()), 400, "invalid_request", []string{"sub"}},
			{"a subject that is somebody else", plain(fresh.with("claims", "sub_id", map[string]any{"format": "opaque", "id": "c-1"}).signed()), 400, "invalid_request", []string{"sub_id"}},
			{"no sub_id where a customer is meant", plain(fresh.states(statement.KindAccountStatus).signed()), 400, "invalid_request", []string{"/claims/sub_id", "opaque"}},
			{"an account closed of a customer that nobody stated", plain(fresh.about(statement.KindAccountStatus, closed).signed()), 400, "invalid_request", []string{"/claims/sub_id/id", "wanted a customer of whom", "customer-verification", "account-status"}},
			{"a SET forwarded of one that is not below", plain(fresh.forwards(now, used).signed()), 400, "invalid_issuer", []string{"/claims/events/urn:cipgate:event:forwarded:v1/set/claims/iss", "superior"}},
			{"a sealed SET", plain(fresh.seals(now).signed()), 400, "invalid_request", []string{"/claims/events/urn:cipgate:event:forwarded:v1/jwe", "publishes no key"}},
			{"names that the policy does not ask for", plain(fresh.names().signed()), 400, "invalid_request", []string{"/identity", "policy"}},
			{"a field that the policy does not name", plain(fresh.trains().signed()), 400, "invalid_request", []string{"/fields/0/name", "customer_name"}},
			{"a statement that only the gateway makes", plain(fresh.with("claims", "events", map[string]any{statement.KindStandingChanged.URI(): map[string]any{}}).signed()), 400, "access_denied", []string{"events", "gateway"}},
			{"a required member left out", plain(fresh.event("basis", nil).signed()), 400, "invalid_request", []string{"/basis", "wanted"}},
			{"a value that is not one of those allowed", plain(fresh.event("basis", "borrowed").signed()), 400, "invalid_request", []string{"/basis", "own"}},
			{"a member nobody knows", plain(fresh.event("basiss", "own").signed()), 400, "invalid_request", []string{"basiss"}},
			{"a date that is none", plain(fresh.event("attested_on", "2026-02-30").signed()), 400, "invalid_request", []string{"/attested_on"}},
			{"adopted without an agreement", plain(fresh.event("agreement_id", nil).signed()), 400, "invalid_request", []string{"agreement_id"}},
			{"the same jti with other claims", plain(good.event("attested_on", "2026-01-05").signed()), 400, "invalid_request", []string{"jti"}},
		} {
			t.Run(c.name, func(t *testing.T) {
				g.t = t
				before := g.size()
				header, body := c.send()
				response, text := g.do(http.MethodPost, "/events", header, []byte(body))
				var told struct {
					Err         string `json:"err"`
					Description string `json:"description"`
				}
				if err := json.Unmarshal([]byte(text), &told, json.RejectUnknownMembers(true)); err != nil {
					t.Fatalf("%d, and the body is not {err, description}: %q", response.StatusCode, text)
				}
				if response.StatusCode != c.status || told.Err != c.err {
					t.Errorf("got %d %s (%s), wanted %d %s", response.StatusCode, told.Err, told.Description, c.status, c.err)
				}
				for _, wanted := range c.says {
					if !strings.Contains(told.Description, wanted) {
						t.Errorf("the description does not name %q: %s", wanted, told.Description)
					}
				}
				if got := response.Header.Get("Content-Type"); got != "application/json" {
					t.Errorf("Content-Type %q", got)
				}
				if got := response.Header.Get("Content-Language"); got != "en" {
					t.Errorf("Content-Language %q", got)
				}
				if c.status == 400 && !strings.Contains(response.Header.Get("Link"), `rel="help"`) {
					t.Errorf("no Link to help: %q", response.Header.Get("Link"))
				}
				if after := g.size(); after != before {
					t.Errorf("the ledger grew from %d to %d", before, after)
				}
			})
		}
	})
}

func TestTheSameStatementAgainIsAnsweredWithTheFirstReceipt(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		g := startGateway(t, database, nil)
		first := newForge(t, g.enrol("Example Cloud GmbH"), g.clock.Now())
		header := http.Header{"Content-Type": {"application/secevent+jwt"}}
		response, text := g.do(http.MethodPost, "/events", header, []byte(first.signed()))
		if response.StatusCode != http.StatusAccepted || text != "" {
			t.Fatalf("%d %q", response.StatusCode, text)
		}
		if got := response.Header.Get("Link"); got != `</v1/me/standing>; rel="status"` {
			t.Errorf("Link %q", got)
		}
		location := response.Header.Get("Location")
		if wanted := "/receipts/" + envelope.DigestOf([]byte(first.signed())).String(); location != wanted {
			t.Errorf("Location %q, wanted %q", location, wanted)
		}
		g.settled()
		size := g.size()
		again := map[string]string{
			"the same bytes":                    first.signed(),
			"signed again with a new iat":       first.with("claims", "iat", g.clock.Now().Unix()-5).signed(),
			"the claims written in other order": first.signedText(first.marshal(first.header), reversed(first)),
		}
		for name, token := range again {
			response, text := g.do(http.MethodPost, "/events", header, []byte(token))
			if response.StatusCode != http.StatusAccepted || response.Header.Get("Location") != location {
				t.Errorf("%s: %d %s, Location %q", name, response.StatusCode, text, response.Header.Get("Location"))
			}
		}
		if g.size() != size {
			t.Errorf("the ledger grew from %d to %d", size, g.size())
		}
	})
}

// reversed writes the claims with their members in another order.
func reversed(f forge) []byte {
	var members []string
	for name, value := range f.claims {
		members = append([]string{fmt.Sprintf("%q:%s", name, f.marshal(value))}, members...)
	}
	return []byte("{" + strings.Join(members, ", ") + "}")
}

func TestABodyThatTheServerWillNotReadIsAnsweredBeforeItIsSent(t *testing.T) {
	g := startGateway(t, "", nil)
	connection, err := net.Dial("tcp", strings.TrimPrefix(g.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	fmt.Fprintf(connection, "POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/secevent+jwt\r\nContent-Length: %d\r\n\r\nstart", 5<<20)
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 413 || !strings.Contains(string(text), "262144") || !strings.Contains(string(text), `"err":"invalid_request"`) {
		t.Errorf("%d %s, %v", response.StatusCode, text, err)
	}
}

func TestOverItsRateAResellerIsToldWhenToSendAgain(t *testing.T) {
	g := startGateway(t, "", func(c *Config) { c.Rate, c.Burst = 0.001, 1 })
	f := newForge(t, g.enrol("Example Cloud GmbH"), g.clock.Now())
	other := newForge(t, g.enrol("Another Cloud GmbH"), g.clock.Now())
	header := http.Header{"Content-Type": {"application/secevent+jwt"}}
	// What does not verify takes nothing of the rate of the entity it names.
	forged := f.signed()[:len(f.signed())-86] + encode(make([]byte, 64))
	for range 3 {
		if response, text := g.do(http.MethodPost, "/events", header, []byte(forged)); response.StatusCode != 400 {
			t.Fatalf("%d %s", response.StatusCode, text)
		}
	}
	if response, text := g.do(http.MethodPost, "/events", header, []byte(f.signed())); response.StatusCode != 202 {
		t.Fatalf("the first of a burst of one: %d %s", response.StatusCode, text)
	}
	response, text := g.do(http.MethodPost, "/events", header, []byte(f.with("claims", "jti", uuid.NewString()).signed()))
	if response.StatusCode != 429 || response.Header.Get("Retry-After") == "" || !strings.Contains(text, "0.001 submissions a second") || !strings.Contains(text, "the next is taken in 16m") {
		t.Errorf("over the rate: %d, Retry-After %q, %s", response.StatusCode, response.Header.Get("Retry-After"), text)
	}
	if response, text := g.do(http.MethodPost, "/events", header, []byte(other.signed())); response.StatusCode != 202 {
		t.Errorf("another reseller has a rate of its own: %d %s", response.StatusCode, text)
	}
}
