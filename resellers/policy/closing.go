package policy

// Closing says what is ordered closed when a case closes an account, and how long those below have to find another superior. A policy
// without it orders the reseller's own account closed, and nothing beside a termination.
type Closing struct {
	Scope Choice `json:"scope"` // CloseReseller or CloseImplicated
	// Most is how many accounts of customers one closure names: where more are implicated, the reseller's own account is ordered closed.
	Most Count `json:"most"`
	// Window is how long the subordinates of a reseller that is closing or terminated have to find another superior.
	Window Number `json:"window"`
}

// What is ordered closed. 15 CFR 7.303(d), proposed, says "the foreign account", which may mean either.
const (
	CloseReseller   = "reseller"   // the reseller's own account
	CloseImplicated = "implicated" // the accounts of the customers that the findings behind the case name, where each of them names some
)

// Known says that the policy has the section.
func (c Closing) Known() bool { return c.Scope.Value != "" }

// Implicated says that customers' accounts are ordered closed where the findings name customers.
func (c Closing) Implicated() bool { return c.Scope.Value == CloseImplicated }

func (r *reader) closing(v value) Closing {
	f := r.object(v, "scope", "most", "window")
	return Closing{Scope: r.choice(f[0], CloseReseller, CloseImplicated), Most: r.counted(f[1]), Window: r.number(f[2])}
}
