package envelope

import (
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json/jsontext"
)

// PS256 goes through a verifier of ours, so that the salt has the length that RFC 7518 asks for; the suite of raw
// signatures reaches it.
func TestWycheproofPS256SignaturesGetTheirVerdict(t *testing.T) {
	var suite struct {
		TestGroups []struct {
			JWK   jsontext.Value `json:"publicKeyJwk"`
			Tests []struct {
				TcID   int    `json:"tcId"`
				Msg    string `json:"msg"`
				Sig    string `json:"sig"`
				Result string `json:"result"`
			} `json:"tests"`
		} `json:"testGroups"`
	}
	readVectors(t, "wycheproof/rsa_pss_2048_sha256_mgf1_32_test.json", &suite)
	count := 0
	for _, group := range suite.TestGroups {
		keys, err := ParseKeys([]byte(`{"keys":[` + string(group.JWK) + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		verifier := saltedVerifier{keys.list[0].jwk.Key.(*rsa.PublicKey)}
		for _, test := range group.Tests {
			message, err1 := hex.DecodeString(test.Msg)
			signature, err2 := hex.DecodeString(test.Sig)
			if err := errors.Join(err1, err2); err != nil {
				t.Fatal(err)
			}
			if err := verifier.VerifyPayload(message, signature, jose.PS256); (err == nil) != (test.Result == "valid") {
				t.Errorf("tcId %d is %s, got %v", test.TcID, test.Result, err)
			}
			count++
		}
	}
	if count < 50 {
		t.Errorf("only %d tests were read", count)
	}
}
