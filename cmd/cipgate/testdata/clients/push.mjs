// Enrols at a gateway and pushes the smallest statement of each kind that is named, cip-attestation if none is:
//   npm install jose
//   node push.mjs 'https://cip.provider.example/enrol#TOKEN' [KIND...] [<SET]
// The kind forwarded wraps the SET of a subordinate that stands on the standard input.
import { readFileSync } from 'node:fs'
import { enrol, example, push, sign } from './reseller.mjs'

const [address, ...named] = process.argv.slice(2)
const kinds = named.length ? named : ['cip-attestation']
const reseller = await enrol(address)
for (const kind of kinds) {
  const statement = await example(reseller, kind)
  if (kind === 'forwarded') {
    const now = new Date().toISOString().replace(/\.\d+/, '') // whole seconds
    statement.event = { received_at: now, set: readFileSync(0, 'utf8').trim() }
  }
  const answer = await push(reseller.gateway, await sign(reseller, statement))
  console.log(JSON.stringify(answer))
  if (answer.status !== 202) process.exitCode = 1
}
