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

	"github.com/cipgate/cipgate/attestations/envelope"
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

// module is what one module of the plan does and demands.
type module func(x *transmitter)

// plan is openid-ssf-transmitter-test-plan (OpenID Shared Signals Framework 1.0 Final: Transmitter) of the OpenID Foundation's conformance
// suite: its modules by the names that the suite gives them, in its order. Those at the end are modules that the suite has for
// transmitters and that the plan does not name. Nothing of the suite's code is here.
var plan = []string{
	"OIDSSFTransmitterMetadataTest",
	"OIDSSFStreamControlNegativeTestReadStreamWithoutAccessToken",
	"OIDSSFStreamControlNegativeTestReadStreamWithTokenInUriQuery",
	"OIDSSFStreamControlNegativeTestCreateStreamWithReadOnlyToken",
	"OIDSSFStreamControlNegativeTestReadStreamStatusWithInvalidAccessToken",
	"OIDSSFStreamControlNegativeTestReadStatusOfUnknownStream",
	"OIDSSFTransmitterStreamVerificationNegativeTestInvalidBody",
	"OIDSSFTransmitterStreamVerificationNegativeTestInvalidToken",
	"OIDSSFTransmitterStreamVerificationNegativeTestUnknownStream",
	"OIDSSFTransmitterPollEndpointAuthorizationTest",
	"OIDSSFStreamControlHappyPathTest",
	"OIDSSFStreamControlNegativeTestCreateStreamWithBrokenInput",
	"OIDSSFStreamControlNegativeTestCreateStreamWithInvalidAccessToken",
	"OIDSSFStreamControlNegativeTestCreateStreamWithDuplicateConfig",
	"OIDSSFStreamControlNegativeTestReadStreamWithInvalidAccessToken",
	"OIDSSFStreamControlNegativeTestReadUnknownStream",
	"OIDSSFStreamControlNegativeTestUpdateStreamWithInvalidToken",
	"OIDSSFStreamControlNegativeTestUpdateStreamWithInvalidBody",
	"OIDSSFStreamControlNegativeTestUpdateUnknownStream",
	"OIDSSFStreamControlNegativeTestReplaceStreamWithInvalidBody",
	"OIDSSFStreamControlNegativeTestReplaceStreamWithInvalidToken",
	"OIDSSFStreamControlNegativeTestReplaceUnknownStream",
	"OIDSSFStreamControlNegativeTestDeleteStreamWithInvalidAccessToken",
	"OIDSSFStreamControlNegativeTestDeleteUnknownStream",
	"OIDSSFStreamSubjectControlHappyPathTest",
	"OIDSSFTransmitterStreamVerificationPushTest",
	"OIDSSFTransmitterStreamVerificationPollOnlyTest",
	"OIDSSFTransmitterStreamVerificationPollAndAckTest",
	"OIDSSFTransmitterStreamVerificationAckOnlyTest",
	"OIDSSFTransmitterStreamVerificationPushNoAuthTest",

	"OIDSSFStreamControlCreateStreamWithoutDeliveryTest",
	"OIDSSFTransmitterPollEndpointUrlUniquePerStreamTest",
	"OIDSSFTransmitterStreamVerificationLongPollTest",
	"OIDSSFTransmitterStreamVerificationSetErrsTest",
	"OIDSSFTransmitterPausedStreamHoldsEventsTest",
	"OIDSSFTransmitterDisabledStreamDropsEventsTest",
}

var modules = map[string]module{
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
		if got := fmt.Sprint(x.metadata["set_signing_alg_values_supported"]); got != "[EdDSA RS256]" {
			x.t.Errorf("signs %s", got)
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
	"OIDSSFStreamControlNegativeTestReadStreamWithoutAccessToken": func(x *transmitter) {
		x.challenged(x.endpoint("configuration_endpoint")+"?stream_id="+unknown, http.MethodGet, "", "")
	},
	"OIDSSFStreamControlNegativeTestReadStreamWithTokenInUriQuery": func(x *transmitter) { // CAEP Interoperability Profile 1.0, section 2.7.2
		x.answered(http.StatusUnauthorized, http.MethodGet, x.endpoint("configuration_endpoint")+"?access_token="+x.token, "", "")
	},
	"OIDSSFStreamControlNegativeTestCreateStreamWithReadOnlyToken": func(x *transmitter) {
		token := x.signedIn("ssf.read")
		response, text := x.do(http.MethodPost, "/ssf/streams", http.Header{"Authorization": {"Bearer " + token}}, []byte(pollBody))
		if challenge := response.Header.Get("WWW-Authenticate"); response.StatusCode != http.StatusForbidden || challenge != `Bearer error="insufficient_scope", scope="ssf.manage"` {
			x.t.Errorf("%d %s, %s", response.StatusCode, text, challenge)
		}
		x.answered(http.StatusOK, http.MethodGet, x.endpoint("configuration_endpoint"), token, "")
	},
	"OIDSSFStreamControlNegativeTestReadStreamStatusWithInvalidAccessToken": func(x *transmitter) {
		x.challenged(x.endpoint("status_endpoint")+"?stream_id="+unknown, http.MethodGet, "invalid", "")
	},
	"OIDSSFStreamControlNegativeTestReadStatusOfUnknownStream": func(x *transmitter) {
		x.answered(http.StatusNotFound, http.MethodGet, x.endpoint("status_endpoint")+"?stream_id="+unknown, x.token, "")
	},
	"OIDSSFTransmitterStreamVerificationNegativeTestInvalidBody": func(x *transmitter) {
		id := x.create(pollBody)["stream_id"].(string)
		for _, body := range []string{`{"stream_id": `, `[]`, `{"stream_id":"` + id + `","state":{}}`} {
			x.answered(http.StatusBadRequest, http.MethodPost, x.endpoint("verification_endpoint"), x.token, body)
		}
		x.delete(id)
	},
	"OIDSSFTransmitterStreamVerificationNegativeTestInvalidToken": func(x *transmitter) {
		id := x.create(pollBody)["stream_id"].(string)
		x.challenged(x.endpoint("verification_endpoint"), http.MethodPost, "invalid", `{"stream_id":"`+id+`"}`)
		x.delete(id)
	},
	"OIDSSFTransmitterStreamVerificationNegativeTestUnknownStream": func(x *transmitter) {
		x.answered(http.StatusNotFound, http.MethodPost, x.endpoint("verification_endpoint"), x.token, `{"stream_id":"`+unknown+`"}`)
	},
	"OIDSSFTransmitterPollEndpointAuthorizationTest": func(x *transmitter) { // RFC 8936, section 3; RFC 6750, section 3
		id := x.create(pollBody)["stream_id"].(string)
		for _, token := range []string{"", "invalid"} {
			x.challenged(x.base+"/ssf/poll/"+id, http.MethodPost, token, `{}`)
		}
		x.answered(http.StatusNotFound, http.MethodPost, x.base+"/ssf/poll/"+unknown, x.token, `{}`)
		x.answered(http.StatusBadRequest, http.MethodPost, x.base+"/ssf/poll/"+id, x.token, `{"maxEvents":-1}`)
		x.delete(id)
	},
	"OIDSSFTransmitterStreamVerificationPushTest":       func(x *transmitter) { x.verifiesByPush("Bearer of-the-suite") },
	"OIDSSFTransmitterStreamVerificationPushNoAuthTest": func(x *transmitter) { x.verifiesByPush("") },
	"OIDSSFTransmitterStreamVerificationPollOnlyTest": func(x *transmitter) {
		s := x.verifies()
		first, again := x.polls(s, said{AtOnce: true}), x.polls(s, said{AtOnce: true})
		x.isVerification(s, first, "opaque")
		x.isVerification(s, again, "opaque") // it was not acknowledged
		x.answered(http.StatusTooManyRequests, http.MethodPost, x.endpoint("verification_endpoint"), x.token, `{"stream_id":"`+s.id+`"}`)
		x.delete(s.id)
	},
	"OIDSSFTransmitterStreamVerificationPollAndAckTest": func(x *transmitter) {
		s := x.verifies()
		first := x.polls(s, said{AtOnce: true})
		x.isVerification(s, first, "opaque")
		if err := x.Advance(x.t.Context(), delivery.MinVerificationInterval); err != nil {
			x.t.Fatal(err)
		}
		x.answered(http.StatusNoContent, http.MethodPost, x.endpoint("verification_endpoint"), x.token, `{"stream_id":"`+s.id+`","state":"second"}`)
		x.isVerification(s, x.polls(s, said{AtOnce: true, Ack: []string{first[0].JTI}}), "second")
		x.delete(s.id)
	},
	"OIDSSFTransmitterStreamVerificationAckOnlyTest": func(x *transmitter) {
		s := x.verifies()
		first, none := x.polls(s, said{AtOnce: true}), 0
		if got := x.polls(s, said{MaxEvents: &none, AtOnce: true, Ack: []string{first[0].JTI}}); len(got) > 0 {
			x.t.Errorf("it asked for none and got %v", got)
		}
		if got := x.polls(s, said{AtOnce: true}); len(got) > 0 {
			x.t.Errorf("after the acknowledgement came %v", got)
		}
		x.delete(s.id)
	},
	"OIDSSFStreamControlCreateStreamWithoutDeliveryTest": func(x *transmitter) { // section 8.1.1.1: poll is the default
		for _, body := range []string{"", `{}`, `{"description":"only that"}`} {
			made := x.create(body)
			if made["delivery"].(map[string]any)["method"] != delivery.MethodPoll {
				x.t.Errorf("%s made %v", body, made)
			}
			x.delete(made["stream_id"])
		}
	},
	"OIDSSFTransmitterPollEndpointUrlUniquePerStreamTest": func(x *transmitter) {
		seen := map[any]bool{}
		for range 2 {
			made := x.create(pollBody)
			seen[made["delivery"].(map[string]any)["endpoint_url"]] = true
			x.delete(made["stream_id"])
		}
		if len(seen) != 2 {
			x.t.Errorf("two streams are polled at %v", seen)
		}
	},
	"OIDSSFTransmitterStreamVerificationLongPollTest": func(x *transmitter) {
		id := x.create(pollBody)["stream_id"].(string)
		s := &subscriber{reseller: x.reseller, api: newClient(x.base, x.token), id: id, stream: "/ssf/poll/" + id}
		if err := s.readKeys(x.t.Context()); err != nil {
			x.t.Fatal(err)
		}
		came := make(chan []received, 1)
		go func() {
			got, _, _, err := s.poll(x.t.Context(), said{}) // waits
			if err != nil {
				x.t.Error(err)
			}
			came <- got
		}()
		x.answered(http.StatusNoContent, http.MethodPost, x.endpoint("verification_endpoint"), x.token, `{"stream_id":"`+id+`","state":"opaque"}`)
		x.isVerification(s, <-came, "opaque")
		x.delete(id)
	},
	"OIDSSFTransmitterStreamVerificationSetErrsTest": func(x *transmitter) { // RFC 8936, sections 2.4.4 and 2.6
		s := x.verifies()
		got, none := x.polls(s, said{AtOnce: true}), 0
		fault := map[string]delivery.Fault{got[0].JTI: {Err: "invalid_state", Description: "not what was asked for"}}
		if got := x.polls(s, said{MaxEvents: &none, AtOnce: true, SetErrs: fault}); len(got) > 0 {
			x.t.Errorf("it asked for none and got %v", got)
		}
		if got := x.polls(s, said{AtOnce: true}); len(got) > 0 { // the RFC leaves it open: here it waits for somebody to look
			x.t.Errorf("what was reported came again: %v", got)
		}
		x.delete(s.id)
	},
	"OIDSSFTransmitterPausedStreamHoldsEventsTest": func(x *transmitter) {
		s := x.stopped(delivery.StatusPaused)
		x.isVerification(s, x.polls(s, said{AtOnce: true}), "opaque")
		x.delete(s.id)
	},
	"OIDSSFTransmitterDisabledStreamDropsEventsTest": func(x *transmitter) {
		// A reseller's notices are mandatory; a system of the provider may decline them.
		reseller := x.token
		x.token = x.gateway.token
		defer func() { x.token = reseller }()
		s := x.stopped("disabled")
		if err := x.Advance(x.t.Context(), delivery.MinVerificationInterval); err != nil {
			x.t.Fatal(err)
		}
		x.answered(http.StatusNoContent, http.MethodPost, x.endpoint("verification_endpoint"), x.token, `{"stream_id":"`+s.id+`","state":"enabled"}`)
		var sets struct {
			Sets map[string]string `json:"sets"`
		}
		if err := s.api.post(x.t.Context(), s.stream, said{AtOnce: true}, &sets); err != nil || len(sets.Sets) == 0 {
			x.t.Errorf("enabled again it got %v, %v", sets, err)
		}
		x.delete(s.id)
	},
}

// signedIn is an access token with a scope.
func (x *transmitter) signedIn(scope string) string {
	x.t.Helper()
	s := &subscriber{reseller: x.reseller, api: newClient(x.base, ""), scope: scope}
	if err := s.signIn(x.t.Context()); err != nil {
		x.t.Fatal(err)
	}
	return s.api.token
}

// challenged demands that a token is refused, and how one would be got (RFC 6750, section 3; RFC 9728, section 5.1).
func (x *transmitter) challenged(address, method, token, body string) {
	x.t.Helper()
	header := http.Header{}
	want := `Bearer resource_metadata="` + x.base + `/.well-known/oauth-protected-resource"`
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
		want += `, error="invalid_token"`
	}
	response, text := x.do(method, strings.TrimPrefix(address, x.base), header, []byte(body))
	if got := response.Header.Get("WWW-Authenticate"); response.StatusCode != http.StatusUnauthorized || got != want {
		x.t.Errorf("%s %s: %d %s, WWW-Authenticate %s", method, address, response.StatusCode, text, got)
	}
}

// verifies makes a stream that is polled and asks for a verification event.
func (x *transmitter) verifies() *subscriber {
	x.t.Helper()
	id := x.create(pollBody)["stream_id"].(string)
	x.answered(http.StatusNoContent, http.MethodPost, x.endpoint("verification_endpoint"), x.token, `{"stream_id":"`+id+`","state":"opaque"}`)
	s := &subscriber{reseller: x.reseller, api: newClient(x.base, x.token), id: id, stream: "/ssf/poll/" + id}
	if err := s.readKeys(x.t.Context()); err != nil {
		x.t.Fatal(err)
	}
	return s
}

func (x *transmitter) polls(s *subscriber, asked said) []received {
	x.t.Helper()
	got, _, faults, err := s.poll(x.t.Context(), asked)
	if err != nil || len(faults) > 0 {
		x.t.Fatalf("poll: %v, %v", faults, err)
	}
	return got
}

// isVerification demands exactly one verification event of the stream, with this state.
func (x *transmitter) isVerification(s *subscriber, got []received, state string) {
	x.t.Helper()
	if len(got) != 1 || got[0].claims.EventURI != delivery.VerificationURI || string(got[0].claims.Event) != `{"state":"`+state+`"}` ||
		got[0].claims.Subject != (envelope.Subject{Format: "opaque", ID: s.id}) || got[0].claims.Issuer != x.reseller.about.Audience {
		x.t.Errorf("verification: %+v", got)
	}
}

// stopped makes a stream, stops it, asks for a verification event, demands that nothing comes, and enables it again.
func (x *transmitter) stopped(status string) *subscriber {
	x.t.Helper()
	id := x.create(pollBody)["stream_id"].(string)
	change := func(status string) {
		x.t.Helper()
		x.answered(http.StatusOK, http.MethodPost, x.endpoint("status_endpoint"), x.token, `{"stream_id":"`+id+`","status":"`+status+`"}`)
	}
	change(status)
	x.answered(http.StatusNoContent, http.MethodPost, x.endpoint("verification_endpoint"), x.token, `{"stream_id":"`+id+`","state":"opaque"}`)
	s := &subscriber{reseller: x.reseller, api: newClient(x.base, x.token), id: id, stream: "/ssf/poll/" + id}
	if err := s.readKeys(x.t.Context()); err != nil {
		x.t.Fatal(err)
	}
	if got := x.polls(s, said{AtOnce: true}); len(got) > 0 {
		x.t.Errorf("while it was %s came %v", status, got)
	}
	change(delivery.StatusEnabled)
	return s
}

// verifiesByPush demands that a verification event is pushed, and what is shown with it.
func (x *transmitter) verifiesByPush(authorization string) {
	x.t.Helper()
	shown := make(chan []string, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		shown <- append(r.Header["Authorization"], r.Header.Get("Content-Type"))
	}))
	defer receiver.Close()
	header, want := "", []string{"application/secevent+jwt"}
	if authorization != "" {
		header, want = `,"authorization_header":"`+authorization+`"`, []string{authorization, "application/secevent+jwt"}
	}
	id := x.create(`{"delivery":{"method":"urn:ietf:rfc:8935","endpoint_url":"` + receiver.URL + `/events"` + header + `}}`)["stream_id"].(string)
	x.answered(http.StatusNoContent, http.MethodPost, x.endpoint("verification_endpoint"), x.token, `{"stream_id":"`+id+`"}`)
	if got := <-shown; !slices.Equal(got, want) {
		x.t.Errorf("pushed with %v", got)
	}
	x.delete(id)
}

func (x *transmitter) refusesStrangers(method, query, body string) {
	x.t.Helper()
	for _, token := range []string{"", "invalid", x.token + "x"} {
		x.answered(http.StatusUnauthorized, method, x.endpoint("configuration_endpoint")+query, token, body)
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
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, url string) {
		x := newTransmitter(t, url)
		whole := x.gateway.t
		for _, name := range plan {
			t.Run(name, func(t *testing.T) {
				x.t, x.gateway.t = t, t
				modules[name](x)
			})
		}
		if got := slices.Sorted(maps.Keys(modules)); !slices.Equal(got, slices.Sorted(slices.Values(plan))) {
			t.Errorf("there are the modules %v", got)
		}
		x.t, x.gateway.t = whole, whole
	})
}
