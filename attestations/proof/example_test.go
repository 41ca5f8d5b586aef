package proof_test

import (
	"fmt"

	"golang.org/x/mod/sumdb/note"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/proof"
)

// A receipt is checked with nothing but the statement that it is for and the log's public key.
func ExampleCheck() {
	const vkey = "gateway.example/log+67caf373+AZN84a5RJKVND4S6iTUUSpPQ9R/mvG1xk6ejqAt8TmUO"
	const receipt = `c2sp.org/tlog-proof@v1
index 2
I02D7oYBNVl+IRI4elDEuq67nHLYAzhwJ9zrh6wm+3A=
VxBToAS50EBheBH4LTHQq6k4WMGsGmU9Tn/RKQVuKfY=

gateway.example/log
4
kUtAFnA6adS1MQgECsZoUhEQ4fgVJS4ornUOlXUB67k=

— gateway.example/log Z8rzc6qzwdQ14ExOEV2U9DF0+EQwH9iXY1q2bI70I4+7TwfAPWXJNtbVjweW7Oi4JJbhDt2V54R+8lG811P7h6sQKAE=
`
	token := []byte("eyJ0eXAiOiJzZWNldmVudCtqd3QifQ.e30.c2lnbmF0dXJl") // a compact JWS as it was pushed

	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := proof.ParseReceipt([]byte(receipt))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(proof.Check(r, envelope.DigestOf(token), verifier))
	fmt.Println(proof.Check(r, envelope.DigestOf(append(token, 'x')), verifier))
	// Output:
	// <nil>
	// the entry is not in the log: the 2 hashes do not lead from entry 2 to the root of 4 entries
}
