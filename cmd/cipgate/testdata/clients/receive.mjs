// A reseller's receiver of notices (Shared Signals over RFC 8936), with the JOSE library from npm and nothing of ours:
//   node receive.mjs ENROLMENT_ADDRESS
// It enrols and makes a stream, prints {"ready": true}, polls until a warning came, checks each token with the keys that the gateway
// publishes, answers the warning with a remediation, acknowledges all, and prints what it did.
import { createRemoteJWKSet, jwtVerify, SignJWT } from 'jose'
import { randomUUID } from 'node:crypto'
import { enrol, push } from './reseller.mjs'

const me = await enrol(process.argv[2])

async function ask(method, address, { token, body, type = 'application/json' } = {}) {
  const response = await fetch(address, { method, body, headers: { 'content-type': type, ...(token && { authorization: `Bearer ${token}` }) } })
  if (!response.ok) throw new Error(`${method} ${address} answered ${response.status}: ${await response.text()}`)
  return response.json()
}

// An access token for the key that was enrolled (RFC 7523), for the endpoints that the gateway's documents name.
const metadata = await ask('GET', `${me.gateway}/.well-known/ssf-configuration`)
const server = await ask('GET', `${me.gateway}/.well-known/oauth-authorization-server`)
const assertion = await new SignJWT({}).setProtectedHeader({ alg: 'EdDSA', kid: me.key.jwk.kid })
  .setIssuer(me.entity).setSubject(me.entity).setAudience(server.token_endpoint).setIssuedAt().setExpirationTime('5m').setJti(randomUUID())
  .sign(me.key.privateKey)
const { access_token: token } = await ask('POST', server.token_endpoint, {
  type: 'application/x-www-form-urlencoded',
  body: new URLSearchParams({
    grant_type: 'client_credentials', scope: 'ssf.manage ssf.read',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: assertion,
  }).toString(),
})
const stream = await ask('POST', metadata.configuration_endpoint, { token, body: JSON.stringify({ delivery: { method: 'urn:ietf:rfc:8936' } }) })
console.log(JSON.stringify({ ready: true }))

// Each poll waits until something comes, and acknowledges what the one before brought.
const keys = createRemoteJWKSet(new URL(metadata.jwks_uri))
const name = (kind) => `urn:cipgate:event:${kind}:v1`
const got = []
let ack = []
let warning
while (!warning) {
  const { sets } = await ask('POST', stream.delivery.endpoint_url, { token, body: JSON.stringify({ ack }) })
  for (const [jti, set] of Object.entries(sets)) {
    const { payload } = await jwtVerify(set, keys, { typ: 'secevent+jwt', issuer: me.audience, audience: me.entity })
    got.push(payload)
    if (payload.events[name('warning-issued')]) warning = payload
  }
  ack = Object.keys(sets)
}

// The sandbox's clock was moved: what is stated now is signed by that clock.
const { now } = await ask('GET', `${me.gateway}/sandbox/clock`)
const finding = warning.events[name('warning-issued')].findings[0]
const remediation = await new SignJWT({ events: { [name('remediation')]: { kind: 'explanation', text: 'The attestation is being signed.', finding } } })
  .setProtectedHeader({ alg: 'EdDSA', typ: 'secevent+jwt', kid: me.key.jwk.kid })
  .setIssuer(me.entity).setAudience(me.audience).setIssuedAt(Math.floor(Date.parse(now) / 1000)).setJti(randomUUID())
  .sign(me.key.privateKey)
const answer = await push(me.gateway, remediation)
await ask('POST', stream.delivery.endpoint_url, { token, body: JSON.stringify({ ack, maxEvents: 0, returnImmediately: true }) })
console.log(JSON.stringify({ warning: warning.jti, finding, kinds: got.map((set) => Object.keys(set.events)[0]), status: answer.status, digest: answer.digest, refusal: answer.refusal }))
