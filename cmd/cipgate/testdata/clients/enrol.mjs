// Enrols at a gateway, and prints what a program needs that states and receives, as JSON: {gateway, entity, audience, key}
//   npm install jose
//   node enrol.mjs 'https://cip.provider.example/enrol#TOKEN' >reseller.json
import { exportJWK } from 'jose'
import { enrol } from './reseller.mjs'

const { gateway, entity, audience, key } = await enrol(process.argv[2])
console.log(JSON.stringify({ gateway, entity, audience, key: { ...await exportJWK(key.privateKey), kid: key.jwk.kid } }))
