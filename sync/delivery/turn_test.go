package delivery

import (
	"errors"
	"sync"
	"testing"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

func TestEachDecisionIsAddressedOnceWhereverTheProcessIsKilled(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.stream(billing, Wanted{Method: MethodPoll})
		var toOne, toTwo, toSystem []string
		for after, died := 0, true; died; after++ {
			for _, about := range []struct {
				tokens *[]string
				said   string
			}{
				{&toOne, w.state(statement.KindStandingChanged, acme)},
				{&toTwo, w.state(statement.KindWarningIssued, other)},
				{&toOne, w.state(statement.KindFindingOpened, acme)},
			} {
				*about.tokens = append(*about.tokens, about.said)
				toSystem = append(toSystem, about.said)
			}
			k := &killer{after: after}
			err := w.process(k.mortal(t, db), w.ledger, nil).Turn(t.Context())
			if died = err != nil; died && !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			if after%2 == 0 || !died { // every other time the next process that is killed finds what this one left
				w.must(w.Turn(t.Context()))
				w.numbered(toAcme, toOne)
				w.numbered(toOther, toTwo)
				w.numbered(billing, toSystem)
			}
		}
		if len(toOne) < 20 {
			t.Errorf("there were %d steps to be killed at, which cannot be all", len(toOne)/2)
		}
	})
}

func TestSeveralProcessesAddressEachDecisionOnce(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		var tokens []string
		for range 20 {
			tokens = append(tokens, w.state(statement.KindStandingChanged, acme), w.state(statement.KindWarningIssued, acme))
			var processes sync.WaitGroup
			for range 4 {
				processes.Go(func() {
					if err := w.process(db, w.ledger, nil).Turn(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			processes.Wait()
		}
		w.numbered(toAcme, tokens)
	})
}

func TestWhatConcernsNobodyIsPassedOver(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.state(statement.KindPolicyActivated, self)
		w.state(statement.KindOfficerAction, acme)
		told := w.states(1, acme)
		w.numbered(toAcme, told)
		if list := w.notices(billing); len(list) > 0 {
			t.Errorf("a system without a stream has %d notices", len(list))
		}
		changed := w.Changed()
		w.must(w.Turn(t.Context()))
		select {
		case <-changed:
			t.Error("there was nothing new, and it was announced")
		default:
		}
		w.states(1, acme)
		<-changed
	})
}
