#!/bin/sh
# Enrols at a gateway and pushes the smallest statement of each kind that is named, cip-attestation if none is, with Debian's jose
# and curl:
#   apt-get install jose curl
#   ./push.sh 'https://cip.provider.example/enrol#TOKEN' [KIND...] [<SET]
# The kind forwarded wraps the SET of a subordinate that stands on the standard input.
# This jose knows no Ed25519, so the keys are of ES256. It also makes and takes apart the JSON here: `jose fmt` is a stack
# machine, `-j` pushes, `-g` gets a member, `-s` sets one, `-q` pushes a string, `-U` drops the top, `-o-` and `-u-` print.
set -eu

gateway=${1%%/enrol#*}
authorization="Authorization: Bearer ${1#*/enrol#}"
shift
[ $# -gt 0 ] || set -- cip-attestation
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

member() { jose fmt -j- -Og "$1" -Su-; }  # member NAME <object
string() { jose fmt -q "$1" -o-; }        # string TEXT, as JSON
keys() { jose jwk pub -s -i "$1" -o-; }   # the public half, as a JWK Set

make_key() { # make_key FILE: its kid is its RFC 7638 thumbprint
  jose jwk gen -i '{"alg":"ES256"}' -o "$1"
  jose fmt -j "$1" -q "$(jose jwk thp -i "$1")" -s kid -Uo "$1"
}

sign() { # sign KEY TYP CLAIMS
  header="{\"protected\":{\"typ\":$(string "$2"),\"kid\":$(jose fmt -j "$1" -Og kid -o-)}}"
  printf %s "$3" | jose jws sig -I- -k "$1" -s "$header" -c -o-
}

invitation=$(curl -sSf -H "$authorization" "$gateway/enrolments")
entity=$(string "$(printf %s "$invitation" | member entity)")
audience=$(string "$(printf %s "$invitation" | member audience)")
superior=$(string "$(printf %s "$invitation" | member superior)")

# Two key pairs, kept apart: one signs who we are, the other what we state. A real reseller stores both.
make_key "$folder/federation.jwk"
make_key "$folder/statement.jwk"
now=$(date +%s)
sign "$folder/federation.jwk" entity-statement+jwt "{
  \"iss\": $entity, \"sub\": $entity, \"aud\": $audience, \"iat\": $now, \"exp\": $((now + 365 * 86400)),
  \"jwks\": $(keys "$folder/federation.jwk"), \"authority_hints\": [$superior],
  \"metadata\": {\"cipgate\": {\"jwks\": $(keys "$folder/statement.jwk")}}
}" >"$folder/configuration.jwt"
curl -sSf -o "$folder/enrolled.json" -H "$authorization" -H 'Content-Type: application/entity-statement+jwt' \
  --data-binary @"$folder/configuration.jwt" "$gateway/enrolments"

for kind; do
  curl -sSf -o "$folder/schema.json" "$gateway/schemas/$kind.v1.json"
  event=$(jose fmt -j "$folder/schema.json" -Og examples -Ag 0 -o-)
  [ "$kind" != forwarded ] || event="{\"received_at\": \"$(date -u +%FT%TZ)\", \"set\": $(string "$(cat)")}"
  customer=
  [ "$(member x-sub-id <"$folder/schema.json")" = none ] || customer='"sub_id": {"format": "opaque", "id": "customer-1"},'
  token=$(sign "$folder/statement.jwk" secevent+jwt "{
    \"iss\": $entity, \"aud\": $audience, \"iat\": $(date +%s), \"jti\": \"$(cat /proc/sys/kernel/random/uuid)\", $customer
    \"events\": {\"urn:cipgate:event:$kind:v1\": $event}
  }")
  digest=$(printf %s "$token" | sha256sum | cut -c 1-64 | tr a-f A-F | basenc --base16 -d | basenc --base64url | tr -d =)
  status=$(printf %s "$token" | curl -sS -o "$folder/refusal" -D "$folder/header" -w '%{http_code}' \
    -H 'Content-Type: application/secevent+jwt' --data-binary @- "$gateway/events")
  location=$(tr -d '\r' <"$folder/header" | sed -n 's/^[Ll]ocation: //p')
  printf '{"status":%s,"location":"%s","digest":"%s","token":"%s"}\n' "$status" "$location" "$digest" "$token"
  [ "$status" = 202 ] || { cat "$folder/refusal" >&2; exit 1; }
done
