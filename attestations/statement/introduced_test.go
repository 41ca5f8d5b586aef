package statement

import (
	"errors"
	"strings"
	"testing"

	"github.com/cipgate/cipgate/attestations/envelope"
)

func TestACustomerIsIntroducedByWhoItIsOrByItsAccountsAndNoExamplePresumesOne(t *testing.T) {
	for _, k := range Kinds() {
		if got, want := Introduces(k), k == KindCustomerVerification || k == KindAccountStatus; got != want {
			t.Errorf("%s introduces a customer: %t", k, got)
		}
		if Introduces(k) && forms[k].customer != mustNameCustomer {
			t.Errorf("%s introduces a customer, and need not name one", k)
		}
		for _, example := range schemas[k]().examples { // cli.md: accepted as they are
			if s, err := forms[k].decode(example); err != nil || Presumes(s) {
				t.Errorf("%s: %s presumes a customer that was stated before, %v", k, example, err)
			}
		}
	}
	for status, want := range map[string]bool{"opened": false, "limited": false, "restored": false, "last-accessed": false, "closed": true} {
		if got := Presumes(AccountStatus{Status: status}); got != want {
			t.Errorf("%s presumes a customer: %t", status, got)
		}
	}
}

func TestWhatPresumesAStrangerIsRefusedAtTheIdWithoutItsValue(t *testing.T) {
	fault := (*envelope.Fault)(nil)
	if err := NotIntroduced(); !errors.As(err, &fault) || !errors.Is(err, envelope.ErrMalformed) {
		t.Fatalf("%v", err)
	}
	if fault.Pointer != "/claims/sub_id/id" || fault.Wanted == "" || fault.Got == "" {
		t.Errorf("%+v", fault)
	}
	for _, kind := range []Kind{KindCustomerVerification, KindAccountStatus} {
		if !strings.Contains(fault.Fix, string(kind)) {
			t.Errorf("what to do does not name %s: %s", kind, fault.Fix)
		}
	}
}
