// Enrols at a gateway and pushes one attestation:
//   npm install jose
//   node push.mjs 'https://cip.provider.example/enrol#TOKEN'
import { enrol, example, push, sign } from './reseller.mjs'

const reseller = await enrol(process.argv[2])
const token = await sign(reseller, await example(reseller))
const answer = await push(reseller.gateway, token)
console.log(JSON.stringify(answer))
process.exitCode = answer.status === 202 ? 0 : 1
