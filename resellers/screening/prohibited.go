package screening

import "time"

// Prohibited is whom of a reseller a special measure in force prohibits from having an account: what is certain, and what an officer
// confirmed. Conditions and hints are not in it. The zero Prohibited is nobody.
type Prohibited struct {
	Customers int       // whose account is prohibited, for what they are themselves or for an owner
	Itself    bool      // the reseller
	Since     time.Time // from when on the first of them; zero if there is none
	Evidence  []int64   // leaf indexes: of the measures, and of what says so of the first of them
	Turns     time.Time // when, nothing new being said, another measure comes into force or ends for somebody; zero if none does
}

// None is true if nobody is prohibited.
func (p Prohibited) None() bool { return p.Customers == 0 && !p.Itself }
