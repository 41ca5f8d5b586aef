// Many clients at once, for tests of what a gateway keeps when it is killed:
//   node flood.mjs sign 'https://cip.provider.example/enrol#TOKEN' COUNT >tokens     enrols and signs
//   node flood.mjs push https://cip.provider.example CLIENTS <tokens                 pushes, over connections that are kept
// push prints a line for each answer, and only when it came. A client whose connection breaks sends nothing more.
import { readFileSync, writeSync } from 'node:fs'
import { enrol, example, push, sign } from './reseller.mjs'

const [what, where, number] = process.argv.slice(2)

// Written at once, unlike console.log, which would gather lines in memory: who stops reading them stops the clients.
const print = (line) => writeSync(1, `${line}\n`)

async function signMany() {
  const reseller = await enrol(where)
  const attestation = await example(reseller)
  for (let i = 0; i < Number(number); i++) print(await sign(reseller, attestation))
}

async function client(tokens) {
  for (const token of tokens) print(JSON.stringify(await push(where, token)))
}

async function pushMany() {
  const tokens = readFileSync(0, 'utf8').split('\n').filter(Boolean)
  const clients = Array.from({ length: Number(number) }, (_, n) => client(tokens.filter((_, i) => i % Number(number) === n)))
  for (const { reason } of await Promise.allSettled(clients)) {
    if (reason) console.error(`a client ended: ${reason.message}: ${reason.cause?.code ?? reason.cause?.message}`)
  }
}

await { sign: signMany, push: pushMany }[what]()
