package statement

import (
	"crypto/ed25519"
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cipgate/cipgate/attestations/envelope"
)

const (
	reseller envelope.Entity = "https://reseller.example"
	gateway  envelope.Entity = "https://gateway.example"
)

// noon is later than every date in the schemas' examples.
var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// signer returns the signer of one entity; the same each time, so that a failure can be repeated.
func signer(t testing.TB, of envelope.Entity) envelope.Signer {
	t.Helper()
	seed := sha256.Sum256([]byte(of))
	s, err := envelope.NewSigner(ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// draft returns a draft of what fits the kind: signed by whom, about whom.
func draft(k Kind, event any) envelope.Draft {
	d := envelope.Draft{
		Issuer: reseller, Audience: gateway, IssuedAt: noon,
		JTI: "0190f0a0-0000-7000-8000-0000000000aa", EventURI: k.URI(), Event: event,
	}
	if k.ByGateway() {
		d.Issuer = gateway
		d.Subject = envelope.Subject{Format: "uri", URI: string(reseller)}
	}
	if forms[k].customer != noCustomer {
		d.Subject = envelope.Subject{Format: "opaque", ID: "customer-7"}
	}
	return d
}

func sign(t testing.TB, d envelope.Draft) envelope.Verified {
	t.Helper()
	if text, ok := d.Event.([]byte); ok {
		d.Event = jsontext.Value(text)
	}
	v, err := signer(t, d.Issuer).Sign(d)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// attestation returns the smallest example with one member replaced, or removed where the value is empty.
func attestation(t testing.TB, pairs ...string) string {
	t.Helper()
	return with(t, string(Example(KindCIPAttestation)), pairs...)
}

// with returns a JSON object with members replaced, added, or removed where the value is empty.
func with(t testing.TB, object string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		object = withMember(t, object, pairs[i], pairs[i+1])
	}
	return object
}

func withMember(t testing.TB, object, name, value string) string {
	t.Helper()
	from := jsontext.NewDecoder(strings.NewReader(object))
	if _, err := from.ReadToken(); err != nil {
		t.Fatal(err)
	}
	var members []string
	found := false
	for from.PeekKind() == '"' {
		key, err := from.ReadToken()
		if err != nil {
			t.Fatal(err)
		}
		keyName := key.String()
		old, err := from.ReadValue()
		if err != nil {
			t.Fatal(err)
		}
		member := string(old)
		if keyName == name {
			found = true
			if member = value; value == "" {
				continue
			}
		}
		members = append(members, `"`+keyName+`":`+member)
	}
	if !found && value != "" {
		members = append(members, `"`+name+`":`+value)
	}
	return "{" + strings.Join(members, ",") + "}"
}
