package ledger

import (
	"crypto/ed25519"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

func TestAnEntryWeighsWhatHangsOnIt(t *testing.T) {
	text := strings.Repeat("x", 1000)
	bare := func(said statement.Statement) int { return weightOf(statement.Entry{Statement: said}) }
	const own = 64
	if got := bare(statement.NoticeProved{}); got < int(unsafe.Sizeof(statement.NoticeProved{})) || got > int(unsafe.Sizeof(statement.NoticeProved{}))+own {
		t.Errorf("an empty one weighs %d bytes, itself %d", got, unsafe.Sizeof(statement.NoticeProved{}))
	}
	whole, part := int(unsafe.Sizeof(statement.Elements{})), int(unsafe.Sizeof(statement.Element{}))
	for _, c := range []struct {
		name         string
		more, before int
		least        int // that more weighs above before
	}{
		{"a text", bare(statement.NoticeProved{Notice: text}), bare(statement.NoticeProved{}), 1000},
		{"what a pointer leads to", bare(statement.CIPAttestation{Elements: &statement.Elements{}}), bare(statement.CIPAttestation{}), whole},
		{"a text there", bare(statement.CIPAttestation{Elements: &statement.Elements{RedFlags: statement.Element{Note: text}}}),
			bare(statement.CIPAttestation{Elements: &statement.Elements{}}), 1000},
		{"a pointer in a pointer", bare(statement.CIPAttestation{Elements: &statement.Elements{ResellerOversight: &statement.Element{Note: text}}}),
			bare(statement.CIPAttestation{Elements: &statement.Elements{}}), part + 1000},
		{"a list", bare(statement.CIPAttestation{MaterialChanges: make([]statement.MaterialChange, 10)}), bare(statement.CIPAttestation{}),
			10 * int(unsafe.Sizeof(statement.MaterialChange{}))},
		{"the room behind a list", bare(statement.CIPAttestation{MaterialChanges: make([]statement.MaterialChange, 0, 10)}), bare(statement.CIPAttestation{}),
			10 * int(unsafe.Sizeof(statement.MaterialChange{}))},
		{"texts in a list", bare(statement.CIPAttestation{MaterialChanges: []statement.MaterialChange{{What: text}, {What: text}}}),
			bare(statement.CIPAttestation{MaterialChanges: make([]statement.MaterialChange, 2)}), 2000},
		{"bytes", bare(statement.KeysChanged{Keys: []byte(text)}), bare(statement.KeysChanged{}), 1000},
		{"names", weightOf(statement.Entry{About: envelope.Entity(text), By: envelope.Entity(text), Customer: text, JTI: text, Statement: statement.NoticeProved{}}),
			bare(statement.NoticeProved{}), 4000},
	} {
		// What the allocator rounds up is an eighth of it, and a step for each of a few.
		if got := c.more - c.before; got < c.least || got > c.least+c.least/8+5*16 {
			t.Errorf("%s of %d bytes weighs %d", c.name, c.least, got)
		}
	}
}

// TestEveryStatementIsOfWhatIsWeighed fails where a statement comes to hold a map, an interface or a function.
func TestEveryStatementIsOfWhatIsWeighed(t *testing.T) {
	var walk func(of reflect.Type, path string)
	walk = func(of reflect.Type, path string) {
		switch of.Kind() {
		case reflect.Pointer, reflect.Slice:
			walk(of.Elem(), path+"*")
		case reflect.Struct:
			for i := range of.NumField() {
				if of != moment {
					walk(of.Field(i).Type, path+"."+of.Field(i).Name)
				}
			}
		case reflect.Array, reflect.Map, reflect.Interface, reflect.Func, reflect.Chan, reflect.UnsafePointer:
			t.Errorf("%s is a %s: nothing that hangs on it is weighed", path, of.Kind())
		}
	}
	signer, err := envelope.NewSigner(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range statement.Kinds() {
		var entry statement.Entry
		for _, subject := range []envelope.Subject{{Format: "uri", URI: "https://reseller.example"}, {Format: "opaque", ID: "customer-7"}} { // which of them is the kind's
			set, err := signer.Sign(envelope.Draft{Issuer: "https://reseller.example", Audience: "https://gateway.example", IssuedAt: time.Unix(0, 0), JTI: "1",
				EventURI: kind.URI(), Event: jsontext.Value(statement.Example(kind)), Subject: subject})
			if err != nil {
				t.Fatal(err)
			}
			if entry, err = statement.Remember(0, time.Unix(0, 0), set); err == nil {
				break
			}
		}
		if entry.Statement == nil {
			t.Fatalf("no %s can be read", kind)
		}
		walk(reflect.TypeOf(entry.Statement), string(kind))
		if got := weightOf(entry); got < len(statement.Example(kind))/4 {
			t.Errorf("a %s of %d bytes weighs %d", kind, len(statement.Example(kind)), got)
		}
	}
}
