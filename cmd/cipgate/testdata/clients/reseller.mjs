// A reseller's side of the wire, with the JOSE library from npm and nothing of ours. push.mjs shows how it is used.
import { createHash, randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose'

async function makeKey() {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA')
  const jwk = await exportJWK(publicKey)
  return { privateKey, jwk: { ...jwk, alg: 'EdDSA', use: 'sig', kid: await calculateJwkThumbprint(jwk) } }
}

async function answered(response, status) {
  if (response.status !== status) throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`)
  return response
}

// enrol takes the enrolment address from the provider's invitation and returns what is needed to sign and push.
export async function enrol(address) {
  const [gateway, token] = address.split('/enrol#')
  const authorization = `Bearer ${token}`
  const invitation = await (await answered(await fetch(`${gateway}/enrolments`, { headers: { authorization } }), 200)).json()

  // Two key pairs, kept apart: one signs who we are, the other what we state. A real reseller stores both.
  const federation = await makeKey()
  const statement = await makeKey()
  const configuration = await new SignJWT({
    jwks: { keys: [federation.jwk] },
    authority_hints: [invitation.superior],
    metadata: { cipgate: { jwks: { keys: [statement.jwk] } } },
  })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'entity-statement+jwt', kid: federation.jwk.kid })
    .setIssuer(invitation.entity).setSubject(invitation.entity).setAudience(invitation.audience)
    .setIssuedAt().setExpirationTime('365d')
    .sign(federation.privateKey)
  await answered(await fetch(`${gateway}/enrolments`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/entity-statement+jwt' },
    body: configuration,
  }), 201)
  return { gateway, entity: invitation.entity, audience: invitation.audience, key: statement }
}

// example is the smallest statement of a kind that the gateway's schema shows: its event, and the sub_id that belongs to it.
export async function example({ gateway }, kind = 'cip-attestation') {
  const schema = await (await answered(await fetch(`${gateway}/schemas/${kind}.v1.json`), 200)).json()
  const customer = schema['x-sub-id'] !== 'none' && { sub_id: { format: 'opaque', id: 'customer-1' } }
  return { kind, event: schema.examples[0], ...customer }
}

// sign makes the Security Event Token (RFC 8417) that states an event.
export function sign({ entity, audience, key }, { kind, event, sub_id }) {
  return new SignJWT({ events: { [`urn:cipgate:event:${kind}:v1`]: event }, ...(sub_id && { sub_id }) })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'secevent+jwt', kid: key.jwk.kid })
    .setIssuer(entity).setAudience(audience).setIssuedAt().setJti(randomUUID())
    .sign(key.privateKey)
}

// push sends a token (RFC 8935) and returns what came back. 202 means: committed to disk.
export async function push(gateway, token) {
  const response = await fetch(`${gateway}/events`, {
    method: 'POST', headers: { 'content-type': 'application/secevent+jwt' }, body: token,
  })
  const refusal = await response.text()
  return {
    status: response.status,
    location: response.headers.get('location'),
    digest: createHash('sha256').update(token).digest('base64url'),
    token,
    ...(refusal && { refusal }),
  }
}
