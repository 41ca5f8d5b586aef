// A chain of resellers, each selling for the one before it, and what the last of them states on its way up. It reads lines:
//   https://cip.provider.example/enrol#TOKEN     enrols one more, below the one before, and prints its entity identifier
//   forward                                      the last signs an attestation, each above wraps it in a forwarded SET of its own,
//                                                and the first pushes that; prints the answer, with all tokens, the outermost first
import { createInterface } from 'node:readline'
import { enrol, example, push, sign } from './reseller.mjs'

const chain = []

async function forward() {
  const [last, ...above] = chain.toReversed()
  const tokens = [await sign(last, await example(last))]
  for (const reseller of above) {
    const received_at = new Date().toISOString().replace(/\.\d+/, '') // whole seconds
    tokens.unshift(await sign(reseller, { kind: 'forwarded', event: { received_at, set: tokens[0] } }))
  }
  return { ...await push(chain[0].gateway, tokens[0]), tokens }
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'forward') {
    console.log(JSON.stringify(await forward()))
    continue
  }
  chain.push(await enrol(line))
  console.log(chain.at(-1).entity)
}
