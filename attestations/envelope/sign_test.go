package envelope

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"
)

func signerOf(t testing.TB, private crypto.Signer) Signer {
	t.Helper()
	signer, err := NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func keysOf(t testing.TB, signer Signer) Keys {
	t.Helper()
	keys, err := NewKeys(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{signer.Public()}})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func goodDraft() Draft {
	return Draft{
		Issuer:   gateway,
		Audience: reseller,
		IssuedAt: noon.Add(999 * time.Millisecond),
		JTI:      "0190f0a0-0000-7000-8000-000000000002",
		EventURI: "urn:cipgate:event:finding-opened:v1",
		Event:    map[string]any{"rule": "cip.missing", "a<b": "ü"},
		Subject:  Subject{Format: "uri", URI: reseller},
		TOE:      noon.Add(-time.Hour),
		Txn:      "t",
	}
}

func TestWhatSignSignsVerifies(t *testing.T) {
	r := keyRing()
	older, err := NewRS256Signer(r.rsa.private.(*rsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	for algorithm, signer := range map[string]Signer{
		EdDSA: signerOf(t, r.ed25519.private), ES256: signerOf(t, r.p256.private), ES384: signerOf(t, r.p384.private), PS256: signerOf(t, r.rsa.private), RS256: older,
	} {
		t.Run(algorithm, func(t *testing.T) {
			signed, err := signer.Sign(goodDraft())
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := Parse(signed.Raw())
			if err != nil {
				t.Fatal(err)
			}
			verified, err := parsed.Verify(keysOf(t, signer), Terms{Audience: reseller, Now: noon, MaxAge: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			claims := verified.Claims()
			if parsed.Algorithm() != algorithm || parsed.KeyID() != signer.KeyID() || signed.KeyID() != signer.KeyID() ||
				signed.Digest() != verified.Digest() || signed.IsZero() {
				t.Errorf("got alg %s, kid %s", parsed.Algorithm(), parsed.KeyID())
			}
			want := `{"iss":"https://gateway.example/e/provider","aud":"https://reseller.example","iat":1772366400,` +
				`"jti":"0190f0a0-0000-7000-8000-000000000002","sub_id":{"format":"uri","uri":"https://reseller.example"},"toe":1772362800,"txn":"t",` +
				`"events":{"urn:cipgate:event:finding-opened:v1":{"a<b":"ü","rule":"cip.missing"}}}`
			if string(parsed.jws.payload) != want {
				t.Errorf("got  %s\nwant %s", parsed.jws.payload, want)
			}
			if !claims.IssuedAt.Equal(noon) || !claims.TOE.Equal(noon.Add(-time.Hour)) || claims.Subject.URI != reseller || claims.Txn != "t" {
				t.Errorf("got %+v", claims)
			}

			token, err := signer.SignToken("entity-statement+jwt", map[string]any{"iss": gateway, "sub": gateway, "exp": 1})
			if err != nil {
				t.Fatal(err)
			}
			read, err := ParseToken(token, "entity-statement+jwt")
			if err != nil {
				t.Fatal(err)
			}
			if err := read.Verify(keysOf(t, signer)); err != nil {
				t.Error(err)
			}
			if string(read.Payload()) != `{"exp":1,"iss":"https://gateway.example/e/provider","sub":"https://gateway.example/e/provider"}` ||
				read.KeyID() != signer.KeyID() || read.Algorithm() != algorithm || !bytes.Equal(read.Raw(), token) || read.Digest() != DigestOf(token) {
				t.Errorf("got %s", read.Payload())
			}
		})
	}
}

func TestTheSameDraftGivesTheSameBytes(t *testing.T) {
	signer := signerOf(t, keyRing().ed25519.private)
	first, err1 := signer.Sign(goodDraft())
	second, err2 := signer.Sign(goodDraft())
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Raw(), second.Raw()) {
		t.Errorf("got %s and %s", first.Raw(), second.Raw())
	}
}

func TestSignRefusesDraftsThatNobodyWouldTake(t *testing.T) {
	signer := signerOf(t, keyRing().ed25519.private)
	for name, change := range map[string]func(*Draft){
		"no issuer":               func(d *Draft) { d.Issuer = "" },
		"an issuer of no form":    func(d *Draft) { d.Issuer = "https://gateway.example/" },
		"no audience":             func(d *Draft) { d.Audience = "" },
		"no time":                 func(d *Draft) { d.IssuedAt = time.Time{} },
		"no jti":                  func(d *Draft) { d.JTI = "" },
		"no event's name":         func(d *Draft) { d.EventURI = "" },
		"no event":                func(d *Draft) { d.Event = nil },
		"an event of bytes":       func(d *Draft) { d.Event = []byte(`{}`) },
		"an event of text":        func(d *Draft) { d.Event = "x" },
		"an event with two names": func(d *Draft) { d.Event = jsontext.Value(`{"a":1,"a":2}`) },
		"a channel":               func(d *Draft) { d.Event = make(chan int) },
		"a subject by mail":       func(d *Draft) { d.Subject = Subject{Format: "email", ID: "x"} },
		"a subject of both forms": func(d *Draft) { d.Subject = Subject{Format: "opaque", ID: "x", URI: "urn:x"} },
		"a subject without id":    func(d *Draft) { d.Subject = Subject{Format: "opaque"} },
		"a toe before 1970":       func(d *Draft) { d.TOE = time.Unix(-1, 0) },
		"a txn with a line break": func(d *Draft) { d.Txn = "\n" },
		"an event beyond 256 KiB": func(d *Draft) { d.Event = map[string]string{"x": string(make([]byte, MaxToken))} },
	} {
		t.Run(name, func(t *testing.T) {
			draft := goodDraft()
			change(&draft)
			if signed, err := signer.Sign(draft); err == nil || !signed.IsZero() {
				t.Errorf("signed %s", signed.Raw())
			}
		})
	}
	if _, err := (Signer{}).Sign(goodDraft()); err == nil {
		t.Error("the zero Signer signs")
	}
	if id := (Signer{}).KeyID(); id != "" {
		t.Errorf("the zero Signer has kid %q", id)
	}
	for name, claims := range map[string]any{"an array": []int{1}, "null": nil, "Iss": map[string]int{"Iss": 1}} {
		if _, err := signer.SignToken("x+jwt", claims); err == nil {
			t.Errorf("signed a token whose claims are %s", name)
		}
	}
}

// faulty signs something else than it was asked to, as a broken chip would.
type faulty struct{ crypto.Signer }

func (f faulty) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	digest = bytes.Clone(digest)
	digest[0] ^= 1
	return f.Signer.Sign(random, digest, opts)
}

// dead is a key service that does not answer.
type dead struct{ crypto.Signer }

var errDead = errors.New("no answer")

func (dead) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errDead }

func TestSignNeverGivesOutAWrongSignature(t *testing.T) {
	r := keyRing()
	for _, one := range []pair{r.ed25519, r.p256, r.p384, r.rsa} {
		t.Run(one.kid, func(t *testing.T) {
			if _, err := signerOf(t, faulty{one.private}).Sign(goodDraft()); !errors.Is(err, ErrSignature) {
				t.Errorf("got %v", err)
			}
			if _, err := signerOf(t, faulty{one.private}).SignToken("x+jwt", struct{}{}); !errors.Is(err, ErrSignature) {
				t.Errorf("got %v", err)
			}
			if _, err := signerOf(t, dead{one.private}).Sign(goodDraft()); !errors.Is(err, errDead) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestNewSignerRefusesWeakAndUnknownKeys(t *testing.T) {
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	short, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // a weak key is what is refused
	if err != nil {
		t.Fatal(err)
	}
	for name, private := range map[string]crypto.Signer{"none": nil, "P-521": p521, "RSA of 1024 bits": short} {
		t.Run(name, func(t *testing.T) {
			_, err := NewSigner(private)
			faultOf(t, err, ErrKey)
		})
	}
}

func TestTheSignersKidIsTheThumbprint(t *testing.T) {
	signer := signerOf(t, keyRing().ed25519.private)
	public := signer.Public()
	if public.KeyID != keysOf(t, signer).Thumbprints()[0] || public.KeyID != signer.KeyID() || public.Algorithm != "EdDSA" || public.Use != "sig" {
		t.Errorf("got %+v", public)
	}
	if _, ok := public.Key.(ed25519.PublicKey); !ok {
		t.Errorf("got a %T", public.Key)
	}
}

func TestParseTokenHoldsTheTypesApart(t *testing.T) {
	signer := signerOf(t, keyRing().ed25519.private)
	raw, err := signer.SignToken("jwk-set+jwt", map[string]any{"keys": []any{}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseToken(raw, "JWK-Set+jwt"); err != nil {
		t.Error(err)
	}
	_, err = ParseToken(raw, "entity-statement+jwt")
	if fault := faultOf(t, err, ErrMalformed); fault.Pointer != "/header/typ" {
		t.Errorf("got %v", err)
	}
	_, err = Parse(raw)
	faultOf(t, err, ErrMalformed)
	other, err := NewSigner(keyRing().p256.private)
	if err != nil {
		t.Fatal(err)
	}
	token, err := ParseToken(raw, "jwk-set+jwt")
	if err != nil {
		t.Fatal(err)
	}
	faultOf(t, token.Verify(keysOf(t, other)), ErrKey)
	changed, err := ParseToken(append(raw[:len(raw)-5:len(raw)-5], "AAAAA"...), "jwk-set+jwt")
	if err == nil {
		err = changed.Verify(keysOf(t, signer))
	}
	if err == nil {
		t.Error("a changed signature verifies")
	}
}

func TestWhateverIsSignedReadsBackTheSame(t *testing.T) {
	signer := signerOf(t, keyRing().ed25519.private)
	keys := keysOf(t, signer)
	identifier := rapid.StringMatching(`[ -~]{1,255}`)
	rapid.Check(t, func(t *rapid.T) {
		draft := Draft{
			Issuer:   gateway,
			Audience: reseller,
			IssuedAt: time.Unix(rapid.Int64Range(0, latest).Draw(t, "iat"), rapid.Int64Range(0, 999_999_999).Draw(t, "fraction")),
			JTI:      identifier.Draw(t, "jti"),
			EventURI: rapid.StringN(1, 50, -1).Draw(t, "event's name"),
			Event:    rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "event"),
		}
		if rapid.Bool().Draw(t, "with txn") {
			draft.Txn = identifier.Draw(t, "txn")
		}
		if rapid.Bool().Draw(t, "with subject") {
			draft.Subject = Subject{Format: "opaque", ID: rapid.StringMatching(`[ -~äß語]{1,80}`).Draw(t, "id")}
		}
		signed, err := signer.Sign(draft)
		if err != nil {
			t.Fatal(err)
		}
		got, err := verdict(string(signed.Raw()), keys, Terms{Audience: reseller, Now: draft.IssuedAt, MaxAge: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		claims := got.Claims()
		if claims.JTI != draft.JTI || claims.EventURI != draft.EventURI || claims.Txn != draft.Txn || claims.Subject != draft.Subject ||
			claims.IssuedAt.Unix() != draft.IssuedAt.Unix() {
			t.Fatalf("signed %+v, read %+v", draft, claims)
		}
	})
}

func ExampleSigner_Sign() {
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)) // a real one comes from crypto/rand
	signer, err := NewSigner(private)
	if err != nil {
		fmt.Println(err)
		return
	}
	signed, err := signer.Sign(Draft{
		Issuer:   "https://reseller.example",
		Audience: "https://gateway.example",
		IssuedAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		JTI:      "0195516d-5b00-7000-8000-000000000001",
		EventURI: "urn:cipgate:event:cip-attestation:v1",
		Event:    map[string]string{"occasion": "annual"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(signed.Digest())

	// The gateway, with the keys that it enrolled:
	keys, err := NewKeys(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{signer.Public()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	parsed, err := Parse(signed.Raw())
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = parsed.Verify(keys, Terms{
		Audience: "https://gateway.example/e/provider",
		Now:      time.Date(2026, 3, 1, 12, 0, 5, 0, time.UTC),
		MaxAge:   30 * 24 * time.Hour,
		MaxAhead: time.Minute,
	})
	fmt.Println(errors.Is(err, ErrAudience))
	fmt.Println(err)
	// Output:
	// xgGTArKpb5fsSji6Me8oGBcDRXFtYdrxczn0h3Q2hGw
	// true
	// /claims/aud: wanted "https://gateway.example/e/provider", got "https://gateway.example". Set aud to the gateway's entity identifier, letter by letter as it stands here.
}
