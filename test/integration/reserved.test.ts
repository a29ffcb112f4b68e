import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  ChaincodeDeploymentSpec,
  ChaincodeID,
  ChaincodeInvocationSpec,
  ChaincodeSpec,
  DevopsService,
  encode,
  Message,
  Message_Type,
  openStream,
  PeerService,
  Response_StatusCode,
  Transaction,
  Transaction_Type,
} from '../../proto/index.js'
import { bytesOf, invocation } from './support/client.js'
import { goChaincodes } from './support/go-chaincodes.js'
import { GoShim } from './support/go-shim.js'
import { preparePeer, type TestPeer, until } from './support/peer.js'
import { ScriptedChaincode } from './support/scripted-chaincode.js'

const REFUSAL = /addressed to 'consensus' is not taken from clients/
const peers: TestPeer[] = []

/** A validator in development mode, where chaincodes have the names that clients say, and a peer that hands everything to it. */
beforeAll(async () => {
  const validator = await preparePeer({ flags: ['--peer-chaincodedev'] })
  peers.push(validator)
  await validator.start()
  const set = { 'peer.validator.enabled': 'false', 'peer.id': 'nvp', 'peer.discovery.rootnode': validator.address }
  const forwarder = await preparePeer({ flags: ['--peer-chaincodedev'], set })
  peers.push(forwarder)
  const program = forwarder.launch()
  await program.until('it answers', () => forwarder.isAnswering())
  await until('it forwards', () =>
    forwarder.client.query('example02', 'query', 'a').then(
      () => true,
      () => false,
    ),
  )
}, 240_000)
afterAll(() => Promise.all(peers.map((peer) => peer.dispose())))

const idOf = (name: string, path = ''): Uint8Array => encode(ChaincodeID, { name, path })
const calling = (name: string): Uint8Array => encode(ChaincodeInvocationSpec, invocation(name, ['prepare', 'x']))
const deploying = (name: string): Uint8Array =>
  encode(ChaincodeDeploymentSpec, ChaincodeDeploymentSpec.fromPartial({ chaincodeSpec: { chaincodeID: { name }, ctorMsg: { args: bytesOf(['x']) } } }))
const made = (type: Transaction_Type, chaincodeID: Uint8Array, payload: Uint8Array, txid = 'consensus'): Uint8Array =>
  encode(Transaction, Transaction.fromPartial({ type, chaincodeID, payload, txid }))

/** In each encoding that ends at the succession, or claims to. */
const addressed: readonly (readonly [string, Uint8Array])[] = [
  ['an invoke', made(Transaction_Type.CHAINCODE_INVOKE, idOf('consensus'), calling('consensus'))],
  ['an invoke under another id', made(Transaction_Type.CHAINCODE_INVOKE, idOf('example02'), calling('consensus'))],
  ['an invoke without an id', made(Transaction_Type.CHAINCODE_INVOKE, new Uint8Array(0), calling('consensus'))],
  ['an invoke with the name as path, too', made(Transaction_Type.CHAINCODE_INVOKE, idOf('', 'consensus'), calling('consensus'))],
  ['unknown fields', Buffer.concat([Buffer.from('9a060155', 'hex'), made(Transaction_Type.CHAINCODE_INVOKE, idOf('consensus'), calling('consensus'))])],
  ['an empty payload', made(Transaction_Type.CHAINCODE_INVOKE, idOf('consensus'), new Uint8Array(0))],
  ['a deploy', made(Transaction_Type.CHAINCODE_DEPLOY, idOf('consensus'), deploying('consensus'))],
  ['a deploy under another id', made(Transaction_Type.CHAINCODE_DEPLOY, idOf('other'), deploying('consensus'))],
  ['a terminate', made(Transaction_Type.CHAINCODE_TERMINATE, idOf('consensus'), calling('consensus'))],
  ['a query', made(Transaction_Type.CHAINCODE_QUERY, idOf('consensus'), calling('consensus'))],
]

describe.each([
  ['a validator', 0],
  ['a peer that does not validate', 1],
])('%s', (_what, index) => {
  const peer = (): TestPeer => {
    const found = peers[index]
    if (!found) throw new Error('no such peer')
    return found
  }
  const rpc = async (path: string, body: object): Promise<{ readonly status: number; readonly text: string }> => {
    const answer = await fetch(`${peer().restBase}${path}`, { method: 'POST', body: JSON.stringify(body) })
    return { status: answer.status, text: await answer.text() }
  }
  const spec = { type: 1, chaincodeID: { name: 'consensus' }, ctorMsg: { args: ['prepare', 'x'] } }

  it('refuses it at Devops with PERMISSION_DENIED: deploy, invoke and query', async () => {
    const refused = { code: status.PERMISSION_DENIED, details: expect.stringMatching(REFUSAL) }
    const { client } = peer()
    await expect(client.invoke('consensus', 'prepare', 'x')).rejects.toMatchObject(refused)
    await expect(client.query('consensus', 'prepare', 'x')).rejects.toMatchObject(refused)
    const deployed = ChaincodeSpec.fromPartial({ chaincodeID: { name: 'consensus' }, ctorMsg: { args: bytesOf(['init']) } })
    await expect(client.call(DevopsService.deploy, deployed)).rejects.toMatchObject(refused)
  })

  it('refuses it from the command line, and says what to do instead without the usage', async () => {
    const { code, stderr } = await peer().cli('chaincode', 'invoke', '-n', 'consensus', '-c', '{"Args":["prepare","x"]}')
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^Error: Error invoking chaincode: .*reserved; the consensus engine is changed with peer consensus swap.*\s*$/),
    ])
  })

  it('refuses it at REST, as a failure of the method', async () => {
    for (const method of ['deploy', 'invoke', 'query']) {
      const { status: code, text } = await rpc('/chaincode', { jsonrpc: '2.0', method, params: spec, id: 1 })
      expect([code, text]).toEqual([200, expect.stringMatching(REFUSAL)])
      expect(text).toContain('"error":{"code":-3200')
    }
    // The routes that v0.6 gave up.
    for (const path of ['/devops/deploy', '/devops/invoke', '/devops/query'])
      expect((await rpc(path, path === '/devops/deploy' ? spec : { chaincodeSpec: spec })).status).toBeGreaterThanOrEqual(400)
  })

  it.each(addressed)('refuses %s at ProcessTransaction', async (_encoding, bytes) => {
    const { status: code, msg } = await peer().client.call(PeerService.processTransaction, bytes)
    expect([code, Buffer.from(msg).toString()]).toEqual([Response_StatusCode.FAILURE, expect.stringMatching(REFUSAL)])
  })

  it('takes no transaction from a Chat stream, and nothing of all this has made a block', async () => {
    const stream = openStream(peer().client.grpc, PeerService.chat)
    const ended = new Promise<void>((resolve) => {
      stream.on('error', () => resolve()).on('end', () => resolve())
    })
    for (const type of [Message_Type.CHAIN_TRANSACTION, Message_Type.CONSENSUS])
      for (const [, bytes] of addressed) stream.write(Message.fromPartial({ type, payload: bytes }))
    stream.end()
    stream.resume()
    await ended
    const [validator] = peers
    expect((await validator?.client.info())?.height).toBe(1n)
  })
})

it('cannot be called, queried or registered by a chaincode', async () => {
  const [validator] = peers
  const passthru = goChaincodes['passthru']
  if (!validator || !passthru) throw new Error('nothing to call with')
  const shim = await GoShim.start(validator.address, 'caller', passthru)
  expect(await validator.client.deployNamed('caller', 'init')).toMatchObject({ status: 'committed' })
  const { outcome } = await validator.client.invokeAndWait('caller', 'consensus', 'prepare', 'x')
  expect(outcome).toMatchObject({ status: 'rejected', rest: expect.stringContaining('chaincode consensus cannot be called by other chaincodes') })
  await expect(validator.client.query('caller', 'consensus', 'prepare')).rejects.toThrow(/consensus cannot be called by other chaincodes/)
  shim.kill()
  const taken = new ScriptedChaincode(validator.client)
  taken.register('consensus')
  expect((await taken.ended).details).toMatch(/consensus belongs to a system chaincode/)
})
