import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { goChaincodes } from './support/go-chaincodes.js'
import { GoShim } from './support/go-shim.js'
import { type TestPeer, startPeer } from './support/peer.js'
import { ROOT } from './support/program.js'

/** One request to an original v0.6 peer, and what it answered. */
interface Exchange {
  readonly name: string
  readonly request: { readonly method: string; readonly path: string; readonly body: string | null }
  readonly response: { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }
}

const { exchanges }: { exchanges: Exchange[] } = JSON.parse(readFileSync(join(ROOT, 'test/vectors/rest.json'), 'utf8'))
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g
const GENESIS = 'RrndKwuojRMjOz/rdD7rJD/NUupiuBuCtQwnZG7Vdi/XXcTd2MDyAMsFAZ1ntZL2/IIcSUeatIZAKS6ss7fEvg=='

/** What differs from run to run: ids, times, the address, and hashes of blocks that hold them. Hashes of the state do not. */
function masked(body: string): string {
  return body
    .replace(UUID, '<txid>')
    .replace(/"seconds":\d+/g, '"seconds":0')
    .replace(/,"nanos":\d+/g, ',"nanos":0')
    .replace(/"address":"[^"]+"/, '"address":"<address>"')
    .replace(/"(currentBlockHash|previousBlockHash)":"([^"]+)"/g, (whole, name: string, hash: string) => (hash === GENESIS ? whole : `"${name}":"<hash>"`))
}

/** Sends what the recording sends, with this run's transaction id in the place of the recorded one. */
async function replay(peer: TestPeer, { request }: Exchange, txid: string) {
  const path = request.path.replace(UUID, txid)
  const response = await fetch(`${peer.restBase}${path}`, { method: request.method, ...(request.body === null ? {} : { body: request.body }) })
  const body = await response.text()
  return { status: response.status, headers: response.headers, body }
}

test('every recorded request is answered as the original answers it', { timeout: 240_000 }, async () => {
  const peer = await startPeer({ flags: ['--peer-chaincodedev'], set: { 'peer.id': 'jdoe', 'rest.cors.origins': '*' } })
  const chaincode = goChaincodes['chaincode_example02']
  if (chaincode === undefined) throw new Error('no chaincode')
  const shim = await GoShim.start(peer.address, 'mycc', chaincode)
  onTestFinished(() => shim.kill())

  let txid = ''
  for (const exchange of exchanges) {
    // Between these two recordings the original's own client deployed and invoked.
    if (exchange.name === 'vp1-noops/08-chain-after-deploy') await peer.client.deployNamed('mycc', 'init', 'a', '100', 'b', '200')
    if (exchange.name === 'vp1-noops/15-chain') txid = (await peer.client.invokeAndWait('mycc', 'invoke', 'a', 'b', '10')).txid
    const { height } = await peer.client.info()
    const found = await replay(peer, exchange, txid)
    const { status, headers, body } = exchange.response
    expect({ name: exchange.name, status: found.status, body: masked(found.body) }).toEqual({ name: exchange.name, status, body: masked(body) })
    for (const [name, value] of Object.entries(headers)) {
      const expected = name === 'Content-Length' ? String(Buffer.byteLength(found.body)) : value
      expect(found.headers.get(name), `${exchange.name}: ${name}`).toBe(expected)
    }
    const isAccepted = exchange.request.method === 'POST' && /"method":"(invoke|deploy)"/.test(exchange.request.body ?? '') && body.includes('"status":"OK"')
    if (isAccepted) await peer.untilHeight(height + 1n)
  }
  expect(exchanges.length).toBeGreaterThan(50)
})
