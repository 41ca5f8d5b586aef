package main

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/sync/delivery"
)

// transmitter is a gateway as the OpenID Foundation's conformance suite sees it: by its published documents and the API that they name.
type transmitter struct {
	*gateway // its t is that of the module that runs
	reseller *reseller
	token    string
	metadata map[string]any
}

func newTransmitter(t *testing.T, url string) *transmitter {
	t.Helper()
	g := startGateway(t, url, isSandbox)
	r := g.enrol("Example Cloud GmbH")
	s := &subscriber{reseller: r, api: newClient(g.base, "")}
	if err := s.signIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	x := &transmitter{gateway: g, reseller: r, token: s.api.token}
	x.metadata = x.answered(http.StatusOK, http.MethodGet, g.base+"/.well-known/ssf-configuration", "", "")
	return x
}

// ask makes a request of an address that a document named.
func (x *transmitter) ask(method, address, token, body string) (int, string) {
	x.t.Helper()
	header := http.Header{"Content-Type": {"application/json"}}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	response, text := x.do(method, strings.TrimPrefix(address, x.base), header, []byte(body))
	return response.StatusCode, text
}

// answered demands a status and returns the object that came with it, nil if none did.
func (x *transmitter) answered(status int, method, address, token, body string) map[string]any {
	x.t.Helper()
	got, text := x.ask(method, address, token, body)
	if got != status {
		x.t.Fatalf("%s %s: wanted %d, got %d %s", method, address, status, got, text)
	}
	if text == "" || strings.HasPrefix(text, "[") {
		return nil
	}
	var object map[string]any
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		x.t.Fatalf("%s %s: %v in %s", method, address, err, text)
	}
	return object
}

func (x *transmitter) endpoint(name string) string {
	x.t.Helper()
	address, _ := x.metadata[name].(string)
	if address == "" {
		x.t.Fatalf("the configuration names no %s", name)
	}
	return address
}

func (x *transmitter) create(body string) map[string]any {
	x.t.Helper()
	return x.answered(http.StatusCreated, http.MethodPost, x.endpoint("configuration_endpoint"), x.token, body)
}

func (x *transmitter) delete(id any) {
	x.t.Helper()
	x.answered(http.StatusNoContent, http.MethodDelete, fmt.Sprintf("%s?stream_id=%s", x.endpoint("configuration_endpoint"), id), x.token, "")
}

const (
	pollBody = `{"delivery":{"method":"urn:ietf:rfc:8936"},"events_requested":["urn:cipgate:event:warning-issued:v1","urn:example:other"],"description":"first"}`
	unknown  = "00000000-0000-0000-0000-000000000000"
)

// modules are those of openid-ssf-transmitter-test-plan (OpenID Shared Signals Framework 1.0 Final: Transmitter), by the names that
// the suite gives them, each with what it does and demands.
var modules = map[string]func(x *transmitter){
	"OIDSSFTransmitterMetadataTest": func(x *transmitter) {
		for name, want := range map[string]any{"spec_version": "1_0", "issuer": x.base, "jwks_uri": x.base + "/jwks.json", "default_subjects": "ALL"} {
			if x.metadata[name] != want {
				x.t.Errorf("%s is %v, want %v", name, x.metadata[name], want)
			}
		}
		for _, name := range []string{"configuration_endpoint", "status_endpoint", "add_subject_endpoint", "remove_subject_endpoint", "verification_endpoint"} {
			if !strings.HasPrefix(x.endpoint(name), x.base) {
				x.t.Errorf("%s: %s", name, x.endpoint(name))
			}
		}
		if got := fmt.Sprint(x.metadata["delivery_methods_supported"]); got != "[urn:ietf:rfc:8935 urn:ietf:rfc:8936]" {
			x.t.Errorf("delivers by %s", got)
		}
		x.answered(http.StatusOK, http.MethodGet, x.metadata["jwks_uri"].(string), "", "")
		server := x.answered(http.StatusOK, http.MethodGet, x.base+"/.well-known/oauth-authorization-server", "", "")
		resource := x.answered(http.StatusOK, http.MethodGet, x.base+"/.well-known/oauth-protected-resource", "", "")
		if server["issuer"] != x.base || server["token_endpoint"] != x.base+"/oauth/token" || fmt.Sprint(resource["authorization_servers"]) != "["+x.base+"]" {
			x.t.Errorf("authorization: %v, %v", server, resource)
		}
	},
	"OIDSSFStreamControlHappyPathTest": func(x *transmitter) {
		made := x.create(pollBody)
		id := made["stream_id"].(string)
		one := x.endpoint("configuration_endpoint") + "?stream_id=" + id
		if made["iss"] != x.base || made["aud"] != string(x.reseller.about.Entity) || fmt.Sprint(made["events_delivered"]) != "[urn:cipgate:event:warning-issued:v1]" ||
			made["delivery"].(map[string]any)["endpoint_url"] != x.base+"/ssf/poll/"+id || made["description"] != "first" || made["min_verification_interval"] != 30.0 {
			x.t.Errorf("made %v", made)
		}
		read := func(want map[string]any) {
			x.t.Helper()
			if got := x.answered(http.StatusOK, http.MethodGet, one, x.token, ""); fmt.Sprint(got) != fmt.Sprint(want) {
				x.t.Errorf("read %v, want %v", got, want)
			}
		}
		read(made)
		updated := x.answered(http.StatusOK, http.MethodPatch, x.endpoint("configuration_endpoint"), x.token, `{"stream_id":"`+id+`","iss":"`+x.base+`","description":"second"}`)
		if updated["description"] != "second" || fmt.Sprint(updated["events_requested"]) != fmt.Sprint(made["events_requested"]) {
			x.t.Errorf("updated %v", updated)
		}
		read(updated)
		text, err := json.Marshal(updated) // what was read may be sent back
		if err != nil {
			x.t.Fatal(err)
		}
		if same := x.answered(http.StatusOK, http.MethodPut, x.endpoint("configuration_endpoint"), x.token, string(text)); fmt.Sprint(same) != fmt.Sprint(updated) {
			x.t.Errorf("replaced by itself: %v", same)
		}
		replaced := x.answered(http.StatusOK, http.MethodPut, x.endpoint("configuration_endpoint"), x.token,
			`{"stream_id":"`+id+`","delivery":{"method":"urn:ietf:rfc:8936"},"events_requested":["urn:cipgate:event:finding-opened:v1"]}`)
		if _, kept := replaced["description"]; kept || fmt.Sprint(replaced["events_delivered"]) != "[urn:cipgate:event:finding-opened:v1]" {
			x.t.Errorf("replaced %v", replaced)
		}
		read(replaced)
		status := x.endpoint("status_endpoint")
		for _, c := range []struct {
			status string
			answer int
		}{{"paused", http.StatusOK}, {"disabled", http.StatusForbidden}, {"enabled", http.StatusOK}, {"asleep", http.StatusBadRequest}} {
			// "disabled" is the suite's one deviation: a reseller's notices are mandatory (protocol.md, "Notices").
			got := x.answered(c.answer, http.MethodPost, status, x.token, `{"stream_id":"`+id+`","status":"`+c.status+`","reason":"trying"}`)
			if c.answer == http.StatusOK && (got["status"] != c.status || got["stream_id"] != id || got["reason"] != "trying") {
				x.t.Errorf("status %v", got)
			}
		}
		if got := x.answered(http.StatusOK, http.MethodGet, status+"?stream_id="+id, x.token, ""); got["status"] != "enabled" {
			x.t.Errorf("status %v", got)
		}
		x.delete(id)
		x.answered(http.StatusNotFound, http.MethodGet, one, x.token, "")
		if code, text := x.ask(http.MethodGet, x.endpoint("configuration_endpoint"), x.token, ""); code != http.StatusOK || text != "[]" {
			x.t.Errorf("without a stream: %d %s", code, text)
		}
	},
	"OIDSSFStreamControlNegativeTestCreateStreamWithBrokenInput": func(x *transmitter) {
		for _, body := range []string{`{"delivery":`, `[]`, `{"delivery":{"method":1}}`, `{"delivery":{"method":"urn:example:pigeon"}}`, `{"delivery":{"method":"urn:ietf:rfc:8935"}}`,
			`{"delivery":{"method":"urn:ietf:rfc:8935","endpoint_url":"https://10.0.0.1:8443/"}}`, `{"events_requested":"all"}`} {
			x.answered(http.StatusBadRequest, http.MethodPost, x.endpoint("configuration_endpoint"), x.token, body)
		}
	},
	"OIDSSFStreamControlNegativeTestCreateStreamWithInvalidAccessToken": func(x *transmitter) { x.refusesStrangers(http.MethodPost, "", pollBody) },
	"OIDSSFStreamControlNegativeTestCreateStreamWithDuplicateConfig": func(x *transmitter) {
		made := x.create(pollBody)
		x.answered(http.StatusConflict, http.MethodPost, x.endpoint("configuration_endpoint"), x.token, pollBody)
		x.delete(made["stream_id"])
	},
	"OIDSSFStreamControlNegativeTestReadStreamWithInvalidAccessToken": func(x *transmitter) { x.refusesStrangers(http.MethodGet, "?stream_id="+unknown, "") },
	"OIDSSFStreamControlNegativeTestReadUnknownStream": func(x *transmitter) {
		x.answered(http.StatusNotFound, http.MethodGet, x.endpoint("configuration_endpoint")+"?stream_id="+unknown, x.token, "")
	},
	"OIDSSFStreamControlNegativeTestUpdateStreamWithInvalidToken": func(x *transmitter) { x.refusesStrangers(http.MethodPatch, "", `{"stream_id":"`+unknown+`"}`) },
	"OIDSSFStreamControlNegativeTestUpdateStreamWithInvalidBody":  func(x *transmitter) { x.refusesBodies(http.MethodPatch) },
	"OIDSSFStreamControlNegativeTestUpdateUnknownStream": func(x *transmitter) {
		x.answered(http.StatusNotFound, http.MethodPatch, x.endpoint("configuration_endpoint"), x.token, `{"stream_id":"`+unknown+`","description":"x"}`)
	},
	"OIDSSFStreamControlNegativeTestReplaceStreamWithInvalidBody":  func(x *transmitter) { x.refusesBodies(http.MethodPut) },
	"OIDSSFStreamControlNegativeTestReplaceStreamWithInvalidToken": func(x *transmitter) { x.refusesStrangers(http.MethodPut, "", `{"stream_id":"`+unknown+`"}`) },
	"OIDSSFStreamControlNegativeTestReplaceUnknownStream": func(x *transmitter) {
		x.answered(http.StatusNotFound, http.MethodPut, x.endpoint("configuration_endpoint"), x.token, `{"stream_id":"`+unknown+`"}`)
	},
	"OIDSSFStreamControlNegativeTestDeleteStreamWithInvalidAccessToken": func(x *transmitter) { x.refusesStrangers(http.MethodDelete, "?stream_id="+unknown, "") },
	"OIDSSFStreamControlNegativeTestDeleteUnknownStream": func(x *transmitter) {
		x.answered(http.StatusNotFound, http.MethodDelete, x.endpoint("configuration_endpoint")+"?stream_id="+unknown, x.token, "")
	},
	"OIDSSFStreamSubjectControlHappyPathTest": func(x *transmitter) {
		id := x.create(pollBody)["stream_id"].(string)
		self := `{"stream_id":"` + id + `","subject":{"format":"uri","uri":"` + string(x.reseller.about.Entity) + `"}}`
		someone := `{"stream_id":"` + id + `","subject":{"format":"email","email":"user@example.com"},"verified":true}`
		x.answered(http.StatusOK, http.MethodPost, x.endpoint("add_subject_endpoint"), x.token, self)
		// Nobody learns whether this gateway knows somebody (section 9.1).
		if code, text := x.ask(http.MethodPost, x.endpoint("add_subject_endpoint"), x.token, someone); code != http.StatusOK || text != "" {
			x.t.Errorf("adding somebody: %d %s", code, text)
		}
		x.answered(http.StatusNoContent, http.MethodPost, x.endpoint("remove_subject_endpoint"), x.token, someone)
		x.answered(http.StatusForbidden, http.MethodPost, x.endpoint("remove_subject_endpoint"), x.token, self)
		x.answered(http.StatusBadRequest, http.MethodPost, x.endpoint("add_subject_endpoint"), x.token, `{"stream_id":"`+id+`","subject":"me"}`)
		x.answered(http.StatusNotFound, http.MethodPost, x.endpoint("add_subject_endpoint"), x.token, strings.Replace(self, id, unknown, 1))
		x.delete(id)
	},
	"OIDSSFTransmitterEventsTest": func(x *transmitter) {
		id := x.create(pollBody)["stream_id"].(string)
		x.answered(http.StatusNoContent, http.MethodPost, x.endpoint("verification_endpoint"), x.token, `{"stream_id":"`+id+`","state":"opaque"}`)
		x.answered(http.StatusTooManyRequests, http.MethodPost, x.endpoint("verification_endpoint"), x.token, `{"stream_id":"`+id+`"}`)
		x.answered(http.StatusNotFound, http.MethodPost, x.endpoint("verification_endpoint"), x.token, `{"stream_id":"`+unknown+`"}`)
		x.answered(http.StatusNotFound, http.MethodPost, x.base+"/ssf/poll/"+unknown, x.token, `{}`)
		x.answered(http.StatusBadRequest, http.MethodPost, x.base+"/ssf/poll/"+id, x.token, `{"maxEvents":-1}`)
		s := &subscriber{reseller: x.reseller, api: newClient(x.base, x.token), stream: "/ssf/poll/" + id}
		got, _, faults, err := s.poll(x.t.Context(), said{AtOnce: true})
		if err != nil || len(faults) > 0 || len(got) != 1 || got[0].claims.EventURI != delivery.VerificationURI || string(got[0].claims.Event) != `{"state":"opaque"}` ||
			got[0].claims.Subject.ID != id || got[0].claims.Issuer != x.reseller.about.Audience {
			x.t.Errorf("verification: %+v, %v, %v", got, faults, err)
		}
		if again, _, _, err := s.poll(x.t.Context(), said{AtOnce: true, Ack: []string{got[0].JTI}}); err != nil || len(again) > 0 {
			x.t.Errorf("after the acknowledgement: %v, %v", again, err)
		}
		x.delete(id)
	},
	"OIDSSFTransmitterPushNoAuthTest": func(x *transmitter) {
		shown := make(chan []string, 1)
		receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			shown <- append(r.Header["Authorization"], r.Header.Get("Content-Type"))
		}))
		defer receiver.Close()
		id := x.create(`{"delivery":{"method":"urn:ietf:rfc:8935","endpoint_url":"` + receiver.URL + `/events"}}`)["stream_id"].(string)
		x.answered(http.StatusNoContent, http.MethodPost, x.endpoint("verification_endpoint"), x.token, `{"stream_id":"`+id+`"}`)
		if got := <-shown; !slices.Equal(got, []string{"application/secevent+jwt"}) {
			x.t.Errorf("pushed with %v", got)
		}
		x.delete(id)
	},
}

func (x *transmitter) refusesStrangers(method, query, body string) {
	x.t.Helper()
	for _, token := range []string{"", "invalid", x.token + "x"} {
		x.answered(http.StatusUnauthorized, method, x.endpoint("configuration_endpoint")+query, token, body)
	}
	response, _ := x.do(method, "/ssf/streams", nil, nil)
	if got := response.Header.Get("WWW-Authenticate"); got != `Bearer resource_metadata="`+x.base+`/.well-known/oauth-protected-resource"` {
		x.t.Errorf("WWW-Authenticate: %s", got)
	}
}

func (x *transmitter) refusesBodies(method string) {
	x.t.Helper()
	id := x.create(pollBody)["stream_id"].(string)
	for _, body := range []string{`{"stream_id":`, `{}`, `{"stream_id":"` + id + `","iss":"https://other.example"}`, `{"stream_id":"` + id + `","aud":"https://other.example"}`,
		`{"stream_id":"` + id + `","events_supported":[]}`, `{"stream_id":"` + id + `","min_verification_interval":1}`, `{"stream_id":"` + id + `","delivery":{"method":"urn:example:pigeon"}}`} {
		x.answered(http.StatusBadRequest, method, x.endpoint("configuration_endpoint"), x.token, body)
	}
	x.delete(id)
}

func TestTheTransmitterDoesWhatTheConformancePlanAsks(t *testing.T) {
	migrationstest.EachURL(t, func(t *testing.T, url string) {
		x := newTransmitter(t, url)
		whole := x.gateway.t
		for _, name := range slices.Sorted(maps.Keys(modules)) {
			t.Run(name, func(t *testing.T) {
				x.t, x.gateway.t = t, t
				modules[name](x)
			})
		}
		x.t, x.gateway.t = whole, whole
	})
}
