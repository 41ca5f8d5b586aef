package auth

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/problem"
)

// Role is what an officer may do. Each may do what those before it may.
type Role string

// The roles, from the least to the most.
const (
	Viewer        Role = "viewer"        // reads
	Member        Role = "officer"       // acts on resellers: evidence, inquiries, holds, disputes
	Approver      Role = "approver"      // approves or refuses the steps of a case
	Administrator Role = "administrator" // officers, tokens, policy, automation
)

// Roles are all roles, from the least to the most.
var Roles = []Role{Viewer, Member, Approver, Administrator}

// ParseRole reads a role by its name. Errors wrap problem.ErrRequest.
func ParseRole(name string) (Role, error) {
	if role := Role(name); slices.Contains(Roles, role) {
		return role, nil
	}
	return "", fmt.Errorf("%w: role: wanted viewer, officer, approver or administrator, got something else", problem.ErrRequest)
}

// Includes says whether who has this role may do what takes the other.
func (r Role) Includes(other Role) bool {
	return slices.Contains(Roles, other) && slices.Index(Roles, r) >= slices.Index(Roles, other)
}

// atLeast are the roles that include this one, in words: "approver or administrator".
func (r Role) atLeast() string {
	var names []string
	for _, role := range Roles {
		if role.Includes(r) {
			names = append(names, string(role))
		}
	}
	return strings.Join(names, " or ")
}

type officerKey struct{}

// Asking returns who is asking, behind API or Page; the zero Officer elsewhere.
func Asking(ctx context.Context) Officer {
	asking, _ := ctx.Value(officerKey{}).(Officer)
	return asking
}

// Person returns the name of who is asking, or "" outside of API and Page.
func Person(c *fiber.Ctx) string { return Asking(c.UserContext()).Name }

// known notes who is asking.
func known(c *fiber.Ctx, officer Officer) {
	c.SetUserContext(context.WithValue(c.UserContext(), officerKey{}, officer))
}

// Need returns who is asking if its role includes the one needed, as it stands in the ledger. This is the one place where a role is
// judged, for every way in. Errors wrap problem.ErrForbidden and say who may.
func Need(ctx context.Context, role Role) (statement.Officer, error) {
	asking := Asking(ctx)
	if asking.ID == "" || !asking.Role.Includes(role) {
		return statement.Officer{}, fmt.Errorf("%w: this takes the role %s; you are %s with the role %s. Ask somebody who has it, or an administrator to change yours (cipgate officer list)",
			problem.ErrForbidden, role.atLeast(), nameOr(asking.Name, "nobody"), nameOr(string(asking.Role), "none"))
	}
	return asking.Stated(), nil
}

func nameOr(name, otherwise string) string {
	if name == "" {
		return otherwise
	}
	return name
}
