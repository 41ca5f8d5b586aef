#!/usr/bin/python3
"""Enrols at a gateway and pushes the smallest statement of each kind that is named, cip-attestation if none is, with Debian's
python3-jwcrypto and the standard library:

    apt-get install python3-jwcrypto
    /usr/bin/python3 push.py 'https://cip.provider.example/enrol#TOKEN' [KIND...] [<SET]

The kind forwarded wraps the SET of a subordinate that stands on the standard input.
"""
import base64
import hashlib
import json
import sys
import time
import urllib.error
import urllib.request
import uuid

from jwcrypto import jwk, jws


def call(url, headers=(), body=None):
    """Sends a request and returns status, headers and body, whatever the status is."""
    request = urllib.request.Request(url, data=body, headers=dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.headers, response.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers, refused.read().decode()


def wanted(status, answer):
    if answer[0] != status:
        sys.exit(f"answered {answer[0]}, wanted {status}: {answer[2]}")
    return answer[2]


def make_key():
    key = jwk.JWK.generate(kty="OKP", crv="Ed25519", alg="EdDSA", use="sig")
    key["kid"] = key.thumbprint()
    return key


def sign(key, typ, claims):
    token = jws.JWS(json.dumps(claims))
    token.add_signature(key, protected=json.dumps({"alg": "EdDSA", "typ": typ, "kid": key["kid"]}))
    return token.serialize(compact=True)


gateway, invitation_token = sys.argv[1].split("/enrol#")
authorization = {"Authorization": "Bearer " + invitation_token}
invitation = json.loads(wanted(200, call(gateway + "/enrolments", authorization)))

# Two key pairs, kept apart: one signs who we are, the other what we state. A real reseller stores both.
federation, statement = make_key(), make_key()
now = int(time.time())
configuration = sign(federation, "entity-statement+jwt", {
    "iss": invitation["entity"], "sub": invitation["entity"], "aud": invitation["audience"],
    "iat": now, "exp": now + 365 * 86400,
    "jwks": {"keys": [federation.export_public(as_dict=True)]},
    "authority_hints": [invitation["superior"]],
    "metadata": {"cipgate": {"jwks": {"keys": [statement.export_public(as_dict=True)]}}},
})
wanted(201, call(gateway + "/enrolments",
                 {**authorization, "Content-Type": "application/entity-statement+jwt"}, configuration.encode()))

failed = False
for kind in sys.argv[2:] or ["cip-attestation"]:
    schema = json.loads(wanted(200, call(f"{gateway}/schemas/{kind}.v1.json")))
    event = schema["examples"][0]
    if kind == "forwarded":
        event = {"received_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "set": sys.stdin.read().strip()}
    claims = {
        "iss": invitation["entity"], "aud": invitation["audience"], "iat": int(time.time()), "jti": str(uuid.uuid4()),
        "events": {f"urn:cipgate:event:{kind}:v1": event},
    }
    if schema["x-sub-id"] != "none":
        claims["sub_id"] = {"format": "opaque", "id": "customer-1"}
    token = sign(statement, "secevent+jwt", claims)
    status, headers, refusal = call(gateway + "/events", {"Content-Type": "application/secevent+jwt"}, token.encode())
    digest = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).decode().rstrip("=")
    print(json.dumps({"status": status, "location": headers["Location"], "digest": digest, "token": token}
                     | ({"refusal": refusal} if refusal else {})), flush=True)
    failed |= status != 202
sys.exit(failed)
