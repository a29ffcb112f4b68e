import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ChaincodeID, Transaction, type Transaction_Type, encode } from '../../../proto/index.js'
import type { TestPeer } from './peer.js'

/** A site with a plugin that submits any bytes as a transaction, as another validator's request would come in. */
const SITE = `
import { defineConfig, definePlugin } from 'weft'
import base from 'weft/peer.config'
import { CONSENSUS } from 'weft/plugins/consensus'
import { unary } from 'weft/plugins/grpc'

const same = (bytes) => bytes
const definition = { submit: { path: '/weft.test.Raw/Submit', requestStream: false, responseStream: false, requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same } }
const plugin = definePlugin({
  name: 'raw-submit',
  requires: [CONSENSUS],
  apply(peer) {
    peer.hooks.registerServices.tap(async (listeners) => {
      listeners.get('peer').add(definition, {
        submit: unary(async (bytes) => {
          const accepted = await peer.use(CONSENSUS).submit(bytes)
          const { status, error } = await accepted.outcome()
          return Buffer.from(JSON.stringify({ status, error }))
        }),
      })
    })
  },
})
export default defineConfig({ ...base, plugins: [...base.plugins, plugin] })
`

/** Puts the site into the peer's working directory; before it starts. */
export function writeRawSite(peer: TestPeer): void {
  writeFileSync(join(peer.directory, 'peer.config.ts'), SITE)
}

/** Has bytes ordered; resolves with the outcome. Rejects if they are not accepted. */
export function submitRaw(peer: TestPeer, bytes: Uint8Array): Promise<{ readonly status: string; readonly error?: string }> {
  return new Promise((resolve, reject) => {
    const same = (value: Buffer): Buffer => value
    peer.client.grpc.makeUnaryRequest('/weft.test.Raw/Submit', same, same, Buffer.from(bytes), { deadline: Date.now() + 30_000 }, (error, answer) => {
      if (error) reject(error)
      else resolve(JSON.parse(answer?.toString() ?? ''))
    })
  })
}

/** A transaction of a type and payload for a chaincode name. */
export function transactionBytes(type: Transaction_Type, name: string, payload: Uint8Array, txid: string): Uint8Array {
  return encode(
    Transaction,
    Transaction.fromPartial({ type, chaincodeID: encode(ChaincodeID, { name, path: '' }), payload, txid, timestamp: { seconds: 1n, nanos: 1 } }),
  )
}
