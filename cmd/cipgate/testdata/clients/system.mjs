// One of the provider's own systems, such as billing, with the JOSE library from npm and nothing of ours:
//   TOKEN=... node system.mjs GATEWAY
// It makes a stream with its API token, registers a key of its own, gets an access token by that key, prints {"ready": true}, takes what
// comes until an account is ordered closed, confirms that by a signed token, and prints what it did.
import { calculateJwkThumbprint, createRemoteJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import { randomUUID } from 'node:crypto'
import { push } from './reseller.mjs'

const [gateway] = process.argv.slice(2)

async function ask(method, address, { token, body, type = 'application/json' } = {}) {
  const response = await fetch(address, { method, body, headers: { 'content-type': type, ...(token && { authorization: `Bearer ${token}` }) } })
  if (!response.ok) throw new Error(`${method} ${address} answered ${response.status}: ${await response.text()}`)
  return response.json()
}

const metadata = await ask('GET', `${gateway}/.well-known/ssf-configuration`)
const stream = await ask('POST', metadata.configuration_endpoint, { token: process.env.TOKEN, body: JSON.stringify({ delivery: { method: 'urn:ietf:rfc:8936' } }) })

// The key never leaves this program; a real system stores it.
const { publicKey, privateKey } = await generateKeyPair('EdDSA')
const jwk = await exportJWK(publicKey)
const kid = await calculateJwkThumbprint(jwk)
const me = await ask('PUT', metadata.system_keys_endpoint, {
  token: process.env.TOKEN, type: 'application/jwk-set+json', body: JSON.stringify({ keys: [{ ...jwk, kid, alg: 'EdDSA', use: 'sig' }] }),
})
const signed = (typ, claims, now) => new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', kid, ...(typ && { typ }) })
  .setIssuer(me.iss).setIssuedAt(now).setJti(randomUUID())

// From here on the key stands for the API token (RFC 7523).
const server = await ask('GET', `${gateway}/.well-known/oauth-authorization-server`)
const assertion = await signed('', {}).setSubject(me.iss).setAudience(server.token_endpoint).setExpirationTime('5m').sign(privateKey)
const { access_token: token } = await ask('POST', server.token_endpoint, {
  type: 'application/x-www-form-urlencoded',
  body: new URLSearchParams({
    grant_type: 'client_credentials', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: assertion,
  }).toString(),
})
console.log(JSON.stringify({ ready: true, iss: me.iss }))

const keys = createRemoteJWKSet(new URL(metadata.jwks_uri))
const name = (kind) => `urn:cipgate:event:${kind}:v1`
let order
let ack = []
while (!order) {
  const { sets, sequence } = await ask('POST', stream.delivery.endpoint_url, { token, body: JSON.stringify({ ack }) })
  ack = Object.keys(sets).sort((a, b) => sequence[a] - sequence[b])
  for (const jti of ack) {
    const { payload } = await jwtVerify(sets[jti], keys, { typ: 'secevent+jwt', issuer: metadata.issuer, audience: stream.aud, algorithms: ['EdDSA'] })
    if (payload.events[name('closure-ordered')]) order = payload
  }
}

// The sandbox's clock was moved: what is stated now is signed by that clock. sub_id names the reseller, as the order did.
const now = new Date((await ask('GET', `${gateway}/sandbox/clock`)).now)
const event = { order: order.jti, outcome: 'done', on: now.toISOString().slice(0, 10) }
const confirmation = await signed('secevent+jwt', { events: { [name('order-confirmation')]: event }, sub_id: order.sub_id }, Math.floor(now / 1000))
  .setAudience(me.aud).sign(privateKey)
console.log(JSON.stringify({ order: order.jti, reseller: order.sub_id.uri, ...(await push(gateway, confirmation)) }))
