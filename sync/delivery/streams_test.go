package delivery

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// published are the keys that the gateway publishes now.
func (w *world) published() envelope.Keys {
	w.t.Helper()
	text, err := w.PublicKeys(w.t.Context())
	w.must(err)
	keys, err := envelope.ParseKeys(text)
	w.must(err)
	return keys
}

// verified demands that a token verifies for an audience with the published keys and returns how it is signed and what it says.
func (w *world) verified(token string, audience envelope.Entity) (algorithm, kid string, claims envelope.Claims) {
	w.t.Helper()
	parsed, err := envelope.Parse([]byte(token))
	w.must(err)
	set, err := parsed.Verify(w.published(), envelope.Terms{Audience: audience, Now: w.now, MaxAge: 365 * 24 * time.Hour})
	w.must(err)
	return parsed.Algorithm(), parsed.KeyID(), set.Claims()
}

// told is what a system of the provider got, in order: of each statement the jti, of what concerns its stream the event.
func (w *world) told(r *receiver) (got []string) {
	w.t.Helper()
	for _, token := range r.tokens() {
		_, _, claims := w.verified(token, self)
		if claims.EventURI == StreamUpdatedURI {
			got = append(got, string(claims.Event))
		} else {
			got = append(got, claims.JTI)
		}
	}
	return got
}

// officer puts what an officer did into the ledger, and addresses it.
func (w *world) officer(about envelope.Entity, action string, details ...statement.Field) {
	w.t.Helper()
	w.stated++
	set, err := w.signer.Sign(envelope.Draft{Issuer: self, Audience: self, IssuedAt: w.now, JTI: "officer-" + action + w.now.String()[:19] + string(rune('a'+w.stated)),
		EventURI: statement.KindOfficerAction.URI(), Subject: envelope.Subject{Format: "uri", URI: string(about)},
		Event: statement.OfficerAction{Officer: statement.Officer{ID: "o", Name: "Kim"}, Action: action, Reason: "For the record alone.",
			On: statement.Target{Type: "gateway", ID: string(self)}, Details: details}})
	w.must(err)
	_, err = w.ledger.Append(w.t.Context(), set)
	w.must(err)
	w.must(w.Turn(w.t.Context()))
}

func TestAStreamThatAsksForRS256GetsTheSameSignedAnew(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		if w.published().Len() != 1 {
			t.Error("a key is published that nobody asked for")
		}
		r := newReceiver(t)
		older := r.wanted()
		older.Algorithm = AlgorithmRS256
		s := w.stream(toAcme, older)
		if s.Algorithm != AlgorithmRS256 || w.published().Len() != 2 {
			t.Fatalf("the stream: %+v, %d keys", s, w.published().Len())
		}
		tokens := w.states(2, acme)
		w.must(w.Verify(t.Context(), toAcme, s.ID, "state"))
		w.must(w.Push(t.Context()))
		got := r.tokens()
		if len(got) != 3 {
			t.Fatalf("it got %d tokens", len(got))
		}
		var first string
		for i, token := range got {
			algorithm, kid, claims := w.verified(token, acme)
			if first = kid; algorithm != AlgorithmRS256 {
				t.Errorf("token %d is signed %s", i, algorithm)
			}
			if i == 2 {
				if claims.EventURI != VerificationURI || claims.Txn != "" {
					t.Errorf("the verification: %+v", claims)
				}
				continue
			}
			_, _, stated := w.verified(tokens[i], acme)
			if claims.JTI != stated.JTI || !claims.IssuedAt.Equal(stated.IssuedAt) || !bytes.Equal(claims.Event, stated.Event) || claims.Subject != stated.Subject ||
				claims.Txn != envelope.DigestOf([]byte(tokens[i])).String() {
				t.Errorf("token %d says %+v, the ledger %+v", i, claims, stated)
			}
		}
		// Another process signs with the same key; a new one takes its place, and what was signed before still verifies, for a while.
		again := w.process(db, w.ledger, w.Sender)
		if signer, err := again.signerFor(t.Context(), AlgorithmRS256); err != nil || signer.KeyID() != first {
			t.Errorf("another process signs with %s, %v; want %s", signer.KeyID(), err, first)
		}
		second, err := w.RotateKey(t.Context())
		if err != nil || second == first {
			t.Fatalf("rotated to %s, %v", second, err)
		}
		w.states(1, acme)
		w.must(w.Push(t.Context()))
		if _, kid, _ := w.verified(r.tokens()[3], acme); kid != second {
			t.Errorf("after the rotation %s signs, want %s", kid, second)
		}
		if _, kid, _ := w.verified(got[0], acme); kid != first {
			t.Errorf("the older token names %s", kid)
		}
		w.now = w.now.Add(keyLife)
		if ids := w.published().IDs(); slices.Contains(ids, first) || !slices.Contains(ids, second) {
			t.Errorf("after %s are published %v", keyLife, ids)
		}
		if signer, err := again.signerFor(t.Context(), AlgorithmRS256); err != nil || signer.KeyID() != second {
			t.Errorf("the other process did not follow: %v", err)
		}
		if raw, err := rawKeys(db); err != nil || bytes.Contains(raw, []byte("RSA")) || len(raw) < 1000 {
			t.Errorf("the keys are kept as %d bytes, %v", len(raw), err)
		}
		// Back to the default, the ledger's own tokens come.
		if _, err := w.Configure(t.Context(), toAcme, s.ID, func(before Wanted) (Wanted, bool) { before.Algorithm = ""; return before, true }); err != nil {
			t.Fatal(err)
		}
		tokens = w.states(1, acme)
		w.must(w.Push(t.Context()))
		if got := r.tokens(); got[len(got)-1] != tokens[0] {
			t.Error("it did not get the ledger's token")
		}
		if _, err := w.Create(t.Context(), toOther, "", Wanted{Method: MethodPoll, Algorithm: "none"}); err == nil || !strings.Contains(err.Error(), "set_signing_alg: wanted EdDSA or RS256") {
			t.Errorf("another algorithm: %v", err)
		}
	})
}

func rawKeys(db *gorm.DB) (all []byte, err error) {
	var rows []keyRow
	err = db.Order("id").Limit(10).Find(&rows).Error
	for _, row := range rows {
		all = append(all, row.Sealed...)
	}
	return all, err
}

func TestAReceiverIsToldWhatAnOfficerDidToItsStream(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		r := newReceiver(t)
		pushed, polled := w.stream(toAcme, r.wanted()), w.stream(billing, pollWanted)
		told := func(token string, audience envelope.Entity, id, status, reason string) {
			t.Helper()
			_, _, claims := w.verified(token, audience)
			want := `{"status":"` + status + `","reason":"` + reason + `"}`
			if reason == "" {
				want = `{"status":"` + status + `"}`
			}
			if claims.EventURI != StreamUpdatedURI || claims.Subject != (envelope.Subject{Format: "opaque", ID: id}) || string(claims.Event) != want {
				t.Errorf("told %s %s %+v, want %s", claims.EventURI, claims.Event, claims.Subject, want)
			}
		}
		w.officer(acme, "stream.paused", statement.Field{Name: "told", Value: "Being moved."})
		tokens := w.states(2, acme) // these wait
		w.must(w.Push(t.Context()))
		if got := r.tokens(); len(got) != 1 {
			t.Fatalf("a paused stream got %d", len(got))
		}
		told(r.tokens()[0], acme, pushed.ID, "paused", "Being moved.")
		if now, err := w.Stream(t.Context(), toAcme, pushed.ID); err != nil || now.Status != StatusPaused || now.Reason != "Being moved." || !now.Held {
			t.Errorf("%+v, %v", now, err)
		}
		// The receiver cannot undo it, nor get round it.
		if _, err := w.SetStatus(t.Context(), toAcme, pushed.ID, StatusEnabled, ""); !errors.Is(err, ErrHeld) || !strings.Contains(err.Error(), "Being moved.") {
			t.Errorf("enabled by its receiver: %v", err)
		}
		if err := w.Delete(t.Context(), toAcme, pushed.ID); !errors.Is(err, ErrHeld) {
			t.Errorf("deleted by its receiver: %v", err)
		}
		w.officer(acme, "stream.paused") // nothing new to tell
		w.officer(acme, "stream.disabled")
		w.must(w.Push(t.Context()))
		w.officer(acme, "stream.enabled")
		w.must(w.Push(t.Context()))
		got := r.tokens()
		if len(got) != 4 || !slices.Equal(got[1:3], tokens) {
			t.Fatalf("enabled again, it got %d", len(got))
		}
		told(got[3], acme, pushed.ID, "enabled", "")
		if _, err := w.SetStatus(t.Context(), toAcme, pushed.ID, StatusPaused, ""); err != nil {
			t.Errorf("paused by its receiver: %v", err)
		}
		// Each is done once, also by two processes, and again after a kill.
		w.must(w.process(db, w.ledger, w.Sender).Turn(t.Context()))
		if list := w.notices(toAcme); len(list) != 4 {
			t.Errorf("%d notices", len(list))
		}
		// A system's token that is ended leaves its stream disabled: it is told that, and nothing else any more.
		w.officer(self, "token.revoked", statement.Field{Name: "token", Value: "billing"})
		w.states(1, other)
		last := w.poll(billing, polled.ID, Polling{MaxEvents: -1})
		if len(last.Sets) != 1 {
			t.Fatalf("a disabled stream got %d", len(last.Sets))
		}
		told(tokensOf(last)[0], self, polled.ID, "disabled", "The token of this receiver was ended.")
	})
}

func TestWhatAReceiverLostIsBroughtOnceMoreInOrder(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		if _, err := w.Replay(t.Context(), toAcme, epoch); !errors.Is(err, ErrNoStream) {
			t.Errorf("without a stream: %v", err)
		}
		r := newReceiver(t)
		s := w.stream(toAcme, r.wanted())
		w.states(2, acme)
		w.now = w.now.Add(time.Hour)
		since := w.now
		r.answers(func(w http.ResponseWriter, _ *http.Request) {
			r.answers(nil)
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"err":"invalid_request","description":"not today"}`))
		})
		w.must(w.Push(t.Context()))
		tokens := w.states(3, acme)
		w.must(w.Verify(t.Context(), toAcme, s.ID, ""))
		w.must(w.Push(t.Context()))
		w.are(toAcme, Parked, Acknowledged, Acknowledged, Acknowledged, Acknowledged, Acknowledged)
		before, proofs := w.notices(toAcme), w.provedCount()
		w.now = w.now.Add(time.Hour)
		if count, err := w.Replay(t.Context(), toAcme, since); err != nil || count != 3 {
			t.Errorf("replayed %d, %v", count, err)
		}
		w.are(toAcme, Parked, Acknowledged, Waiting, Waiting, Waiting, Acknowledged)
		had := len(r.tokens())
		w.must(w.Push(t.Context()))
		if got := r.tokens()[had:]; !slices.Equal(got, tokens) {
			t.Errorf("it got %d again", len(got))
		}
		for i, notice := range w.notices(toAcme)[2:5] {
			if notice.AcknowledgedAt != before[2+i].AcknowledgedAt || notice.Tries != 2 {
				t.Errorf("%+v", notice)
			}
		}
		w.must(w.Turn(t.Context()))
		if now := w.provedCount(); now != proofs {
			t.Errorf("%d proofs, before %d", now, proofs)
		}
	})
}

// provedCount is how many proofs of notice stand in the ledger, after those that are known were recorded.
func (w *world) provedCount() int {
	w.t.Helper()
	w.must(w.Turn(w.t.Context()))
	entries, err := w.ledger.Entries(w.t.Context(), 0, 1000, statement.KindNoticeProved)
	w.must(err)
	return len(entries)
}

func TestAnAttemptKeepsWhatWasSaidWithoutSecrets(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		r := newReceiver(t)
		r.answers(func(w http.ResponseWriter, request *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write([]byte("cannot take " + r.got[len(r.got)-1] + " at " + r.URL + request.URL.String() + " with hidden-word\x00: " + strings.Repeat("x", 1000)))
		})
		wanted := Wanted{Method: MethodPush, Endpoint: r.URL + "/events?key=another-secret", Authorization: "Bearer hidden-word"}
		w.stream(toAcme, wanted)
		tokens := w.states(1, acme)
		w.must(w.Push(t.Context()))
		tried := w.notices(toAcme)[0].Attempts[0]
		if !strings.HasPrefix(tried.Request, "POST to "+strings.TrimPrefix(r.URL, "http://")+", application/secevent+jwt, ") ||
			!strings.HasPrefix(tried.Response, "text/plain cannot take [...] at [...] with [...] : xxx") || len(tried.Response) > maxResponse {
			t.Errorf("%+v", tried)
		}
		all := tried.Request + tried.Response + tried.Problem
		for _, secret := range []string{tokens[0], "hidden-word", "another-secret", "/events"} {
			if strings.Contains(all, secret) {
				t.Errorf("%q stands in %s", secret, all)
			}
		}
	})
}

func TestTheOutboxListsWhatIsParkedToMachinesAndPeople(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.states(3, acme)
		w.states(3, other)
		s := w.stream(toAcme, pollWanted)
		w.poll(toAcme, s.ID, Polling{MaxEvents: -1})
		w.poll(toAcme, s.ID, Polling{MaxEvents: 0, Faults: map[string]Fault{w.notices(toAcme)[1].JTI: {"invalid_key", "no"}, w.notices(toAcme)[2].JTI: {"invalid_key", "no"}}})
		parked, err := w.Outbox(t.Context(), Parked, "", 10)
		if err != nil || len(parked) != 2 || parked[0].Audience != toAcme || parked[0].Sequence != 2 || len(parked[0].Attempts) != 1 || parked[0].About != string(acme) {
			t.Fatalf("%+v, %v", parked, err)
		}
		var walked []string
		for after := ""; ; after = walked[len(walked)-1] {
			page, err := w.Outbox(t.Context(), Waiting, after, 3)
			w.must(err)
			for _, one := range page {
				walked = append(walked, one.ID)
			}
			if len(page) < 3 {
				break
			}
		}
		if want := 4; len(walked) != want || len(slices.Compact(slices.Sorted(slices.Values(walked)))) != want {
			t.Errorf("waiting: %v", walked)
		}
		audience, sequence, err := ParseNoticeID(parked[1].ID)
		if err != nil || audience != toAcme || sequence != 3 {
			t.Errorf("%s is %s %d, %v", parked[1].ID, audience, sequence, err)
		}
		for _, wrong := range []string{"", "x", "x.", ".1", "!!.1", NoticeID(toAcme, 0), NoticeID(toAcme, -1)} {
			if _, err := w.Outbox(t.Context(), Parked, wrong, 1); wrong != "" && !errors.Is(err, ErrNoNotice) {
				t.Errorf("%q: %v", wrong, err)
			}
		}
		lines, err := w.AllStreams(t.Context(), "", 10)
		if err != nil || len(lines) != 1 || lines[0].Waiting != 1 || lines[0].Parked != 2 {
			t.Errorf("%+v, %v", lines, err)
		}
		if _, err := w.StreamByID(t.Context(), "none"); !errors.Is(err, ErrNoStream) {
			t.Errorf("%v", err)
		}
	})
}
