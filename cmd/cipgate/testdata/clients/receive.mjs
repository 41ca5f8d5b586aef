// A reseller's receiver of notices (Shared Signals), with the JOSE library from npm and nothing of ours:
//   node receive.mjs ENROLMENT_ADDRESS [poll|push] [EdDSA|RS256]
// It enrols and makes a stream, prints {"ready": true}, takes what comes until a warning came, checks each token with the keys that the
// gateway publishes, acknowledges, answers the warning with a remediation, and prints what it did.
import { createRemoteJWKSet, jwtVerify, SignJWT } from 'jose'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { enrol, push } from './reseller.mjs'

const [address, way = 'poll', algorithm = 'EdDSA'] = process.argv.slice(2)
const me = await enrol(address)

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

// What is taken: signed by a key that the gateway publishes, in the way that was asked for and in no other, and meant for us.
const keys = createRemoteJWKSet(new URL(metadata.jwks_uri))
const name = (kind) => `urn:cipgate:event:${kind}:v1`
const got = []
async function take(set) {
  const { payload } = await jwtVerify(set, keys, { typ: 'secevent+jwt', issuer: me.audience, audience: me.entity, algorithms: [algorithm] })
  got.push(payload)
  return payload
}

const make = (delivery) => ask('POST', metadata.configuration_endpoint, { token, body: JSON.stringify({ delivery, set_signing_alg: algorithm }) })
const warned = way === 'push' ? await pushed() : await polled()

// Each poll waits until something comes, and acknowledges what the one before brought.
async function polled() {
  const stream = await make({ method: 'urn:ietf:rfc:8936' })
  console.log(JSON.stringify({ ready: true }))
  const poll = (body) => ask('POST', stream.delivery.endpoint_url, { token, body: JSON.stringify(body) })
  let warning
  let ack = []
  while (!warning) {
    const { sets, sequence } = await poll({ ack })
    ack = Object.keys(sets).sort((a, b) => sequence[a] - sequence[b])
    for (const jti of ack) {
      const payload = await take(sets[jti])
      if (payload.events[name('warning-issued')]) warning = payload
    }
  }
  await poll({ ack, maxEvents: 0, returnImmediately: true })
  return warning
}

// A small server of our own: 202 acknowledges, 400 says why a token cannot be taken.
async function pushed() {
  const secret = `Bearer ${randomUUID()}`
  let arrived
  const warning = new Promise((resolve) => { arrived = resolve })
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += part
    try {
      if (request.headers.authorization !== secret) throw new Error('another sender')
      const payload = await take(body)
      response.writeHead(202).end(() => { if (payload.events[name('warning-issued')]) arrived(payload) })
    } catch (error) {
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ err: 'invalid_key', description: error.message }))
    }
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  await make({ method: 'urn:ietf:rfc:8935', endpoint_url: `http://127.0.0.1:${server.address().port}/notices`, authorization_header: secret })
  console.log(JSON.stringify({ ready: true }))
  const payload = await warning
  server.close()
  server.closeAllConnections()
  return payload
}

// The sandbox's clock was moved: what is stated now is signed by that clock.
const { now } = await ask('GET', `${me.gateway}/sandbox/clock`)
const finding = warned.events[name('warning-issued')].findings[0]
const remediation = await new SignJWT({ events: { [name('remediation')]: { kind: 'explanation', text: 'The attestation is being signed.', finding } } })
  .setProtectedHeader({ alg: 'EdDSA', typ: 'secevent+jwt', kid: me.key.jwk.kid })
  .setIssuer(me.entity).setAudience(me.audience).setIssuedAt(Math.floor(Date.parse(now) / 1000)).setJti(randomUUID())
  .sign(me.key.privateKey)
const answer = await push(me.gateway, remediation)
console.log(JSON.stringify({ warning: warned.jti, finding, kinds: got.map((set) => Object.keys(set.events)[0]), status: answer.status, digest: answer.digest, refusal: answer.refusal }))
