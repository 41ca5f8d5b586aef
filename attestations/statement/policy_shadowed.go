package statement

import "github.com/cipgate/cipgate/attestations/envelope"

// PolicyShadowed states that an officer let a policy run beside the one in force from this entry on, or no more. It is about the gateway
// itself, decides nothing and reaches no reseller.
type PolicyShadowed struct {
	State    string  `json:"state"`             // started, stopped
	Policy   string  `json:"policy"`            // such as us-iaas-2024.5
	Digest   string  `json:"digest"`            // SHA-256 of the policy file, base64url
	Document string  `json:"document,omitzero"` // the file itself, exactly where it is started
	Why      string  `json:"why"`
	By       Officer `json:"by"`
}

// What a PolicyShadowed's State can be.
const (
	ShadowStarted = "started"
	ShadowStopped = "stopped"
)

// Kind returns KindPolicyShadowed.
func (PolicyShadowed) Kind() Kind { return KindPolicyShadowed }

func (s PolicyShadowed) check() error {
	if s.State == ShadowStarted && envelope.DigestOf([]byte(s.Document)).String() != s.Digest {
		return fault(s.Kind(), "the SHA-256 of document", "another one", "Take the digest of the file that is run.", "digest")
	}
	return nil
}
