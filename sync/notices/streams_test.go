package notices

import (
	"testing"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

func TestOnlyTheGatewaysOwnOfficersChangeAStream(t *testing.T) {
	const self, acme = envelope.Entity("https://provider.example"), envelope.Entity("https://acme.example")
	system := statement.Field{Name: "system", Value: "billing"}
	for name, c := range map[string]struct {
		about, by envelope.Entity
		action    string
		details   []statement.Field
		want      StreamChange
		is        bool
	}{
		"a reseller's is paused":             {acme, self, "stream.paused", []statement.Field{{Name: "told", Value: "Why."}}, StreamChange{OfReseller(acme), "paused", "Why."}, true},
		"and enabled":                        {acme, self, "stream.enabled", nil, StreamChange{OfReseller(acme), "enabled", ""}, true},
		"but never disabled":                 {acme, self, "stream.disabled", nil, StreamChange{}, false},
		"nor by itself":                      {acme, acme, "stream.paused", nil, StreamChange{}, false},
		"a system's is disabled":             {self, self, "stream.disabled", []statement.Field{system}, StreamChange{OfSystem("billing"), "disabled", ""}, true},
		"if it is named":                     {self, self, "stream.disabled", nil, StreamChange{}, false},
		"and with its token":                 {self, self, "token.revoked", []statement.Field{{Name: "token", Value: "billing"}}, StreamChange{OfSystem("billing"), "disabled", toldRevoked}, true},
		"not with a token of some other one": {acme, self, "token.revoked", []statement.Field{{Name: "token", Value: "billing"}}, StreamChange{}, false},
		"another act":                        {self, self, "stream.key-rotated", []statement.Field{system}, StreamChange{}, false},
	} {
		entry := statement.Entry{About: c.about, By: c.by, Statement: statement.OfficerAction{Action: c.action, Details: c.details}}
		got, is := StreamChanged(entry, self)
		if is != c.is || is && got != c.want {
			t.Errorf("%s: got %+v, %t", name, got, is)
		}
	}
	if _, is := StreamChanged(statement.Entry{By: self, Statement: statement.FindingCured{}}, self); is {
		t.Error("a finding changes a stream")
	}
}

func TestOnlyTheGatewayDisablesTheAccountOfAStreamsOwner(t *testing.T) {
	const self, acme = envelope.Entity("https://provider.example"), envelope.Entity("https://acme.example")
	officer := []statement.Field{{Name: "officer", Value: "finance-1"}, {Name: "name", Value: "Finance"}}
	for name, c := range map[string]struct {
		about, by envelope.Entity
		action    string
		details   []statement.Field
		disabled  bool
		is        bool
	}{
		"disabled":           {self, self, "officer.disabled", officer, true, true},
		"enabled again":      {self, self, "officer.enabled", officer, false, true},
		"another change":     {self, self, "officer.changed", officer, false, false},
		"nobody named":       {self, self, "officer.disabled", nil, false, false},
		"about a reseller":   {acme, self, "officer.disabled", officer, false, false},
		"said by a reseller": {acme, acme, "officer.disabled", officer, false, false},
	} {
		entry := statement.Entry{About: c.about, By: c.by, Statement: statement.OfficerAction{Action: c.action, Details: c.details}}
		whose, disabled, is := OwnerChanged(entry, self)
		if is != c.is || is && (whose != "finance-1" || disabled != c.disabled) {
			t.Errorf("%s: got %q, %t, %t", name, whose, disabled, is)
		}
	}
}
