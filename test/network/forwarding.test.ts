import { Server, ServerCredentials } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSite, resolveSettings } from '../../kernel/index.js'
import grpc, { grpcKeys } from '../../plugins/grpc/index.js'
import { TransactionForwarding } from '../../plugins/network/forwarding.js'
import { encodeMessage } from '../../plugins/network/messages.js'
import { announceBlock } from '../../plugins/network/state-transfer/block-added.js'
import {
  BlockState,
  decode,
  encode,
  encodeBlock,
  HelloMessage,
  Message,
  Message_Type,
  PeerEndpoint_Type,
  PeerService,
  type Response,
  Response_StatusCode,
  type Transaction,
} from '../../proto/index.js'
import { freePort } from '../integration/support/ports.js'
import { deployOf } from '../ledger/kit.js'
import { World } from './world.js'
import { lateNetwork } from './transfer-world.js'

const SETTINGS = resolveSettings(createSite({ plugins: [grpc] }).with('peer.limits.messageBytes', 1_000_000, 'test')).settings(grpcKeys)

/** A validator that answers with what it got, or refuses. */
const server = new Server()
let address = ''
/** Nothing is encrypted. */
const NO_TLS = { current: () => undefined, onChange: () => () => undefined, reload: async () => undefined, close: () => undefined }

beforeAll(async () => {
  server.addService(PeerService, {
    processTransaction: ({ request }: { request: Transaction }, answer: (error: null, response: Response) => void) =>
      request.txid !== 'silent' &&
      answer(
        null,
        request.txid === 'bad'
          ? { status: Response_StatusCode.FAILURE, msg: Buffer.from('Error:no 100%d') }
          : { status: Response_StatusCode.SUCCESS, msg: Buffer.from(request.txid) },
      ),
    chat: () => undefined,
  })
  const port = await freePort()
  address = `127.0.0.1:${port}`
  await new Promise<void>((resolve, reject) => server.bindAsync(address, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve())))
})
afterAll(() => server.forceShutdown())

/** Forwarding to validators at addresses, tried in this order. */
async function forwardingTo(addresses: readonly string[], answerMs = 60_000): Promise<TransactionForwarding> {
  const world = new World()
  const { network } = world.peer('nvp', { type: PeerEndpoint_Type.NON_VALIDATOR })
  const blockchainInfo = { height: 0n, currentBlockHash: new Uint8Array(0), previousBlockHash: new Uint8Array(0) }
  for (const [index, to] of addresses.entries()) {
    const peerEndpoint = { ID: { name: `vp${index}` }, address: to, type: PeerEndpoint_Type.VALIDATOR, pkiID: new Uint8Array(0) }
    const { end } = world.script({ address: 'nvp', network })
    end.write(encodeMessage(Message_Type.DISC_HELLO, encode(HelloMessage, { peerEndpoint, blockchainInfo })))
  }
  await world.run(10)
  let at = 0
  return new TransactionForwarding({ isValidator: false, network, dial: { settings: SETTINGS, tls: NO_TLS }, random: () => at++ / 10, answerMs })
}

test('a transaction goes to a validator, and the answer comes back', async () => {
  const forwarding = await forwardingTo([address])
  expect(Buffer.from(await forwarding.forward(deployOf('cc'))).toString()).toBe('cc')
  await expect(forwarding.forward(deployOf('x', 'bad'))).rejects.toThrow(/^Error:no 100%d$/)
  forwarding.close()
})

test('one that cannot be reached is passed over; if none can, the text is that of v0.6', async () => {
  const dead = `127.0.0.1:${await freePort()}`
  const forwarding = await forwardingTo([dead, address])
  expect(Buffer.from(await forwarding.forward(deployOf('cc'))).toString()).toBe('cc')
  forwarding.close()
  const hopeless = await forwardingTo([dead])
  await expect(hopeless.forward(deployOf('cc'))).rejects.toThrow(`Error creating client to peer address=${dead}:  `)
  await expect((await forwardingTo([])).forward(deployOf('cc'))).rejects.toThrow('no validator is connected to it')
})

test('a validator that never answers does not keep the client for ever', async () => {
  const forwarding = await forwardingTo([address], 100)
  await expect(forwarding.forward(deployOf('x', 'silent'))).rejects.toMatchObject({ code: 'ERR_FORWARDING_SILENT', retryable: true, grpcStatus: 4 })
  expect(Buffer.from(await (await forwardingTo([address])).forward(deployOf('cc'))).toString()).toBe('cc')
  forwarding.close()
})

test('noops tells peers that do not validate of a block, without payloads', async () => {
  const { world, behind } = await lateNetwork(0, 0)
  const other = world.peer('nvp', { type: PeerEndpoint_Type.NON_VALIDATOR, rootNodes: [behind.address] })
  other.network.start()
  await world.run(100)
  const bytes = encodeBlock(
    {
      version: 0,
      timestamp: undefined,
      stateHash: Buffer.from('s'),
      previousBlockHash: new Uint8Array(0),
      consensusMetadata: new Uint8Array(0),
      nonHashData: undefined,
    },
    [deployOf('cc')],
  )
  const written = world.streams.flatMap((stream) => [stream, ...(stream.other ? [stream.other] : [])])
  const before = written.map((stream) => stream.written.length)
  announceBlock(behind.network, behind.ledger, { number: 0n, bytes, info: behind.ledger.info(), executed: [] }, world.clock.now())
  await world.run(10)
  const frames = written.flatMap((stream, index) => stream.written.slice(before[index]))
  expect(frames).toHaveLength(1)
  const message = decode(Message, frames[0] ?? new Uint8Array(0))
  expect(message.type).toBe(Message_Type.SYNC_BLOCK_ADDED)
  expect(message.timestamp).toBeDefined()
  const { block, stateDelta } = decode(BlockState, message.payload)
  expect(block?.transactions.map(({ txid, payload }) => [txid, payload.length])).toEqual([['cc', 0]])
  expect(Buffer.from(stateDelta).toString('hex')).toBe('00')
  expect(other.network.status().rejected).toBe(0n)
})
