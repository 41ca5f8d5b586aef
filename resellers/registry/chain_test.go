package registry

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/policy"
)

// deep lets what a world's resellers state be forwarded so often.
func (w *world) deep(hops int) {
	w.rules.MaxPathLength = policy.Count{Value: hops}
	w.Registry = w.process()
}

// below invites an entity below another, and makes what it enrols with.
func (w *world) below(superior envelope.Entity, name string) (Invited, *applicant, error) {
	w.t.Helper()
	invited, err := w.Invite(w.t.Context(), Invitation{Name: name, Country: "DE", Contact: "compliance@example.com", Superior: superior})
	if err != nil {
		return Invited{}, nil, err
	}
	a := w.applicant(invited.Entity)
	a.claims["authority_hints"] = []string{string(superior)}
	return invited, a, nil
}

// enrolsBelow enrols an entity below another.
func (w *world) enrolsBelow(superior envelope.Entity, name string) Entity {
	w.t.Helper()
	invited, a, err := w.below(superior, name)
	if err != nil {
		w.t.Fatal(err)
	}
	entity, err := w.Enrol(w.t.Context(), invited.Token, a.signed(w.t))
	if err != nil {
		w.t.Fatal(err)
	}
	return entity
}

// ends states that the relationship with an entity ended.
func (w *world) ends(entity envelope.Entity) {
	w.t.Helper()
	set, err := w.sign(entity, "ended-"+entity.ID().String(), statement.RelationshipTerminated{Basis: statement.Basis{Policy: "p.1", Now: w.now},
		Case: "c", Findings: []string{"f"}, LimitAt: w.now, Why: "it was not cured"})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.log.Append(w.t.Context(), set); err != nil {
		w.t.Fatal(err)
	}
}

func TestAChainIsAsDeepAsThePolicyLetsAStatementBeForwarded(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.deep(2)
		above := self
		for tier := 1; tier <= 3; tier++ {
			entity := w.enrolsBelow(above, "Tier")
			if entity.Tier != tier || entity.Superior != above || entity.Status != statusActive {
				t.Errorf("tier %d: %+v", tier, entity)
			}
			if superior, err := w.process().Superior(t.Context(), entity.Entity); err != nil || superior != above {
				t.Errorf("right above tier %d is %s, %v", tier, superior, err)
			}
			above = entity.Entity
		}
		if _, _, err := w.below(above, "Too deep"); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "/superior") || !strings.Contains(err.Error(), "of tier 3") || !strings.Contains(err.Error(), "intake.max_path_length") {
			t.Errorf("below tier 3: %v", err)
		}
		w.rebuiltAlike()
	})
}

func TestASuperiorThatIsUnknownWaitingOrTerminatedIsRefusedWithTheReason(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.deep(3)
		waiting, _ := w.applies("Waiting GmbH")
		ended, stands := w.enrolsBelow(self, "Ended GmbH"), w.enrolsBelow(self, "Standing GmbH")
		// Invited, and waiting for an officer, while their superior still stood.
		late, lateConfiguration, err := w.below(ended.Entity, "Late GmbH")
		if err != nil {
			t.Fatal(err)
		}
		asked, askedConfiguration, err := w.below(ended.Entity, "Asked GmbH")
		if err != nil {
			t.Fatal(err)
		}
		w.rules.Enrolment.Value = policy.EachApproved
		w.Registry = w.process()
		if entity, err := w.Enrol(t.Context(), asked.Token, askedConfiguration.signed(t)); err != nil || !entity.Pending() || entity.Tier != 2 {
			t.Fatalf("%+v, %v", entity, err)
		}
		w.ends(ended.Entity)
		size, err := w.log.Size(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for superior, says := range map[envelope.Entity]string{
			"https://stranger.example": "which is not enrolled here",
			waiting.Entity:             "whose enrolment awaits approval",
			ended.Entity:               "whose relationship was terminated at " + w.now.Format(time.RFC3339),
		} {
			if _, _, err := w.below(superior, "Below GmbH"); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "/superior") || !strings.Contains(err.Error(), says) {
				t.Errorf("below %s: %v", superior, err)
			}
		}
		if _, err := w.Enrol(t.Context(), late.Token, lateConfiguration.signed(t)); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "was terminated at") {
			t.Errorf("enrolled below one that was terminated since it was invited: %v", err)
		}
		if _, err := w.ApproveEnrolment(t.Context(), asked.Entity.ID(), mara, "Checked."); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "was terminated at") {
			t.Errorf("approved below one that was terminated since it applied: %v", err)
		}
		if err := w.RefuseEnrolment(t.Context(), asked.Entity.ID(), mara, "Its superior was terminated."); err != nil {
			t.Errorf("refused after that: %v", err)
		}
		if after, err := w.log.Size(t.Context()); err != nil || after != size+1 { // the refusal alone
			t.Errorf("the ledger grew from %d to %d, %v", size, after, err)
		}
		// Whoever names the gateway instead of the superior that it was invited under is told which.
		other, a, err := w.below(stands.Entity, "Other GmbH")
		if err != nil {
			t.Fatal(err)
		}
		a.claims["authority_hints"] = []string{string(self)}
		if _, err := w.Enrol(t.Context(), other.Token, a.signed(t)); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "/claims/authority_hints") || !strings.Contains(err.Error(), string(stands.Entity)) {
			t.Errorf("with the gateway in authority_hints: %v", err)
		}
	})
}

// Whoever stands below a reseller that was terminated is enrolled still, and gets new keys when it lost its own.
func TestAnEntityBelowATerminatedOneKeepsItsTierWhenItIsInvitedAgain(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.deep(3)
		w.rules.Enrolment.Value = policy.AsInvited
		ended := w.enrolsBelow(self, "Ended GmbH")
		entity := w.enrolsBelow(ended.Entity, "Below GmbH")
		w.ends(ended.Entity)
		w.rules.Enrolment.Value = policy.EachApproved // two officers' words are as many as it asks for
		w.Registry = w.process()
		proposal, err := w.ProposeRecovery(t.Context(), entity.Entity.ID(), mara, "All keys lost.")
		if err != nil {
			t.Fatal(err)
		}
		invited, err := w.ApproveRecovery(t.Context(), entity.Entity.ID(), proposal, jon)
		if err != nil {
			t.Fatal(err)
		}
		a := w.applicant(entity.Entity)
		a.claims["authority_hints"] = []string{string(ended.Entity)}
		again, err := w.Enrol(t.Context(), invited.Token, a.signed(t))
		if err != nil || again.Tier != 2 || again.Superior != ended.Entity || again.Pending() {
			t.Errorf("%+v, %v", again, err)
		}
		if !verifies(t, w.Registry, entity.Entity, a.statements) {
			t.Error("its new key does not verify")
		}
		// A hosted one publishes its configuration anew, and names its superior there too.
		if _, err := w.Publish(t.Context(), entity.Entity.ID(), a.signed(t)); err != nil {
			t.Error(err)
		}
		w.rebuiltAlike()
	})
}

// As shipped an enrolment waits where the invitation says so; a policy may ask that each waits, and the invitation says that then.
func TestThePolicyMayLetEachEnrolmentWaitForAnOfficer(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		for value, waits := range map[string]bool{policy.AsInvited: false, policy.EachApproved: true} {
			w.rules.Enrolment.Value = value
			w.Registry = w.process()
			invited, a, err := w.below(self, strings.ToUpper(value))
			if err != nil {
				t.Fatal(err)
			}
			shown, _, err := w.Recorded(t.Context(), invited.Token)
			if err != nil || shown.Approval != waits {
				t.Errorf("%s: the invitation says %t, %v", value, shown.Approval, err)
			}
			entity, err := w.Enrol(t.Context(), invited.Token, a.signed(t))
			if err != nil || entity.Pending() != waits {
				t.Errorf("%s: %+v, %v", value, entity, err)
			}
			if !waits {
				continue
			}
			queue, err := w.Applications(t.Context(), 10)
			if err != nil || !slices.ContainsFunc(queue, func(one Application) bool { return one.Entity.Entity == invited.Entity }) {
				t.Errorf("%s: waiting are %+v, %v", value, queue, err)
			}
			if approved, err := w.ApproveEnrolment(t.Context(), invited.Entity.ID(), mara, "Checked."); err != nil || approved.Status != statusActive {
				t.Errorf("%s: approved %+v, %v", value, approved, err)
			}
		}
	})
}
