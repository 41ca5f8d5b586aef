package policy

// Obligations say what opens a duty of the provider's toward an authority, and by when it is due. One that a policy does not name, or
// that is off, is never opened. A policy without the section opens none.
type Obligations struct {
	ClosureReport     Duty      `json:"closure-report,omitzero"`     // an account is ordered closed: what was suspected is reported
	ActivityReport    Duty      `json:"activity-report,omitzero"`    // a reseller reported suspected activity: it is reported onward
	LimitCrossed      Duty      `json:"limit-crossed,omitzero"`      // a case crossed its limit, or two officers moved it: why is written down and told
	AITraining        TwoClocks `json:"ai-training,omitzero"`        // a covered transaction: it is reported onward
	Certification     Duty      `json:"certification,omitzero"`      // the provider certifies to the authority, again and again
	DepartmentRequest Duty      `json:"department-request,omitzero"` // the authority asked for a document
	FollowUp          Duty      `json:"follow-up,omitzero"`          // the authority asked a question about a report, or for its correction
	Reminders         Reminders `json:"reminders,omitzero"`          // how long before an obligation is due it is brought to mind
}

// Duty is one kind of obligation.
type Duty struct {
	On     bool   `json:"on"`
	Within Number `json:"within"` // counted from what opened it
	What   string `json:"what"`   // what to do, in words for the officer
	Source string `json:"source"` // where the duty stands
	Status Origin `json:"status"`
}

// TwoClocks is a duty with a second clock: it is due when the first of the two ends.
type TwoClocks struct {
	Duty
	Transaction Number `json:"transaction"` // counted from the transaction; Within is counted from the first knowledge of it
}

// The kinds of obligations, by their names in a policy.
const (
	ClosureReport     = "closure-report"
	ActivityReport    = "activity-report"
	LimitCrossed      = "limit-crossed"
	AITrainingReport  = "ai-training"
	Certification     = "certification"
	DepartmentRequest = "department-request"
	FollowUp          = "follow-up"
)

// Duty returns the duty of a kind; false if the policy does not name it or has it off.
func (o Obligations) Duty(kind string) (Duty, bool) {
	d := map[string]Duty{
		ClosureReport: o.ClosureReport, ActivityReport: o.ActivityReport, LimitCrossed: o.LimitCrossed, AITrainingReport: o.AITraining.Duty,
		Certification: o.Certification, DepartmentRequest: o.DepartmentRequest, FollowUp: o.FollowUp,
	}[kind]
	return d, d.On
}

func (r *reader) obligations(v value) Obligations {
	f := r.optional(v, []string{reminders}, ClosureReport, ActivityReport, LimitCrossed, AITrainingReport, Certification, DepartmentRequest, FollowUp)
	o := Obligations{
		ClosureReport: r.duty(f[1]), ActivityReport: r.duty(f[2]), LimitCrossed: r.duty(f[3]), AITraining: r.twoClocks(f[4]),
		Certification: r.duty(f[5]), DepartmentRequest: r.duty(f[6]), FollowUp: r.duty(f[7]),
	}
	if v.node != nil {
		o.Reminders = r.reminders("obligations", f[0])
	}
	return o
}

var dutyFields = []string{"on", "within", "what", "source", "status"}

func (r *reader) duty(v value) Duty {
	if v.node == nil {
		return Duty{} // a duty that the policy does not name
	}
	return r.dutyOf(r.object(v, dutyFields...))
}

func (r *reader) dutyOf(f []value) Duty {
	return Duty{On: r.boolean(f[0]), Within: r.number(f[1]), What: r.text(f[2]), Source: r.text(f[3]), Status: r.origin(f[4])}
}

func (r *reader) twoClocks(v value) TwoClocks {
	if v.node == nil {
		return TwoClocks{}
	}
	f := r.object(v, with(dutyFields, "transaction")...)
	return TwoClocks{Duty: r.dutyOf(f), Transaction: r.number(f[5])}
}
