package policy

import (
	"os"
	"strings"
	"testing"
)

func TestEveryPolicyThatIsShippedParsesAndIsFoundByItsName(t *testing.T) {
	for i, want := range []string{"us-iaas-2024.5", "contract-baseline.4", "in-cert-2022.4"} {
		p := Shipped()[i]
		if p.ID() != want {
			t.Errorf("shipped %s, wanted %s", p.ID(), want)
		}
		for _, name := range []string{p.Name, p.ID()} {
			if named, err := Named(name); err != nil || named.Digest() != p.Digest() {
				t.Errorf("%s: got %s, %v", name, named.ID(), err)
			}
		}
	}
	if _, err := Named("us-iaas-1999"); err == nil || !strings.Contains(err.Error(), "contract-baseline") {
		t.Errorf("got %v, wanted the names that there are", err)
	}
}

func TestAContractNeedsNoStatute(t *testing.T) {
	p, err := Named("contract-baseline")
	if err != nil {
		t.Fatal(err)
	}
	for _, statute := range []string{"CFR", "E.O.", "U.S.C.", "FR ", "Act", "status: rule", "recalled"} {
		if strings.Contains(p.Document(), statute) {
			t.Errorf("the contract's policy cites %q", statute)
		}
	}
}

func TestTheDirectionsOfIndiaKeepRecordsForFiveYearsAndSayWhatWasRecalled(t *testing.T) {
	p, err := Named("in-cert-2022")
	if err != nil {
		t.Fatal(err)
	}
	if p.Records.Floor.Value < 5*365*Day || p.Records.Floor.Status != Recalled || p.Rules.CustomerUnverified.Status != Recalled ||
		p.Status != "in force" || p.Rules.CustomerUnverified.After.Value.String() != "3d" {
		t.Errorf("got %+v, %+v", p.Records, p.Rules.CustomerUnverified)
	}
	if _, named := p.Rule(CustomerIncomplete); named {
		t.Error("it judges by the elements of another country's rule")
	}
}

func TestAPolicyOfAnEarlierVersionIsReadBackAndJudgesWhatItJudgedThen(t *testing.T) {
	file, err := os.ReadFile("testdata/us-iaas-2024.1.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := ParseEarlier(file)
	if err != nil {
		t.Fatal(err)
	}
	if p.ID() != "us-iaas-2024.1" || p.Document() != string(file) || len(p.Rules.All()) != 2 || !p.Rules.CIPStale.On || p.Rules.CIPIncomplete.On {
		t.Errorf("got %s with %+v", p.ID(), p.Rules.All())
	}
	then, now := p.Case, Default().Case
	if then.Limit != now.Limit || then.Cure != now.Cure || then.StepFloor != now.StepFloor {
		t.Errorf("its case is %+v", then)
	}
	if _, err := NewShelf(Default(), p); err != nil {
		t.Errorf("beside the one in force: %v", err)
	}
	// Nobody is judged from now on by a file that leaves numbers out.
	if _, err := Parse(file); err == nil || !strings.Contains(err.Error(), "records: wanted this field") || !strings.Contains(err.Error(), "reminders") {
		t.Errorf("got %v", err)
	}
	if _, err := ParseEarlier([]byte(strings.Replace(string(file), "value: 14d", "value: 14", 1))); err == nil {
		t.Error("what it does say was not read strictly")
	}
}

func TestTheVersionBeforePeopleWereAskedIsAutomaticAndHasNoGuardAndNoHours(t *testing.T) {
	file, err := os.ReadFile("testdata/us-iaas-2024.2.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := ParseEarlier(file)
	if err != nil {
		t.Fatal(err)
	}
	if p.ID() != "us-iaas-2024.2" || p.Case.Approvals != (Approvals{}) || p.Guard != (Guard{}) || p.Hours.On || p.Case.Repeat.Count.Value != 0 {
		t.Errorf("%s: %+v, %+v, %+v", p.ID(), p.Case, p.Guard, p.Hours)
	}
	if p.Case.HoldReturn.Value != p.Case.CureFloor.Value {
		t.Errorf("after a hold it leaves %s", p.Case.HoldReturn.Value)
	}
	if _, err := Parse(file); err == nil || !strings.Contains(err.Error(), "case.approvals: wanted this field") || !strings.Contains(err.Error(), "guard: wanted this field") {
		t.Errorf("got %v", err)
	}
}

// What this version changes of the one before it is what the page about orders and contacts says, and no number.
func TestThisVersionTurnsOnTheRulesAboutOrdersAndContactsAndNothingElse(t *testing.T) {
	for now, before := range map[string]string{"us-iaas-2024": "us-iaas-2024.4", "contract-baseline": "contract-baseline.3", "in-cert-2022": "in-cert-2022.3"} {
		file, err := os.ReadFile("testdata/" + before + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		earlier, err := Parse(file)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Named(now)
		if err != nil {
			t.Fatal(err)
		}
		for _, rule := range p.Rules.All() {
			was, known := earlier.Rule(rule.Name)
			turned := rule.Name == OrderOverdue || rule.Name == ContactUnreachable
			if !known || rule.On != (was.On || turned) || was.On && turned || rule.After.Value != was.After.Value || rule.Severity != was.Severity {
				t.Errorf("%s: %s was %+v", p.ID(), rule.Name, was)
			}
		}
		if p.Rules.ContactUnconfirmed.On {
			t.Errorf("%s: nobody asks the contacts by itself, and without that each reseller would be on watch", p.ID())
		}
	}
}
