import { describe, expect, test } from 'vitest'
import { encodeHello, type WeftFacts } from '../../plugins/network/hello.js'
import { encodeMessage } from '../../plugins/network/messages.js'
import {
  decode,
  encode,
  encodeSyncBlocks,
  type Message,
  Message_Type,
  PeerEndpoint,
  PeerEndpoint_Type,
  SyncBlockRange,
  SyncBlocks,
  SyncStateDeltas,
  SyncStateDeltasRequest,
  SyncStateSnapshot,
  SyncStateSnapshotRequest,
} from '../../proto/index.js'
import { collect, hex, unhex } from '../ledger/kit.js'
import { commitBlocks, EMPTY_LEDGER, lateNetwork } from './transfer-world.js'

describe('serving', () => {
  async function asking(blocks = 10, weft?: WeftFacts) {
    const { world, behind: peer } = await lateNetwork(0, 0)
    await commitBlocks([peer.ledger], blocks)
    const { end } = world.script(peer)
    const received: Message[] = []
    end.listen({ message: (message) => void received.push(message), drain: () => undefined, closed: () => undefined })
    const endpoint = PeerEndpoint.fromPartial({ ID: { name: 'vp2' }, address: 'vp2:1', type: PeerEndpoint_Type.VALIDATOR })
    end.write(encodeMessage(Message_Type.DISC_HELLO, encodeHello(endpoint, EMPTY_LEDGER, weft)))
    await world.run(20)
    const ask = async (type: Message_Type, payload: Uint8Array): Promise<readonly Message[]> => {
      received.length = 0
      end.write(encodeMessage(type, payload))
      await world.run(200)
      return received.filter((message) => ![Message_Type.DISC_GET_PEERS, Message_Type.DISC_PEERS].includes(message.type))
    }
    return { world, peer, end, received, ask }
  }
  const numbers = (messages: readonly Message[]): number[] => messages.map(({ payload }) => Number(decode(SyncBlocks, payload).range?.start))

  test('blocks come one a message, as stored, up or down, until one is missing; without any end mark', async () => {
    const { peer, ask } = await asking()
    const range = (start: bigint, end: bigint) => ask(Message_Type.SYNC_GET_BLOCKS, encode(SyncBlockRange, { correlationId: 9n, start, end }))
    expect(numbers(await range(3n, 6n))).toEqual([3, 4, 5, 6])
    expect(numbers(await range(2n, 0n))).toEqual([2, 1, 0])
    expect(numbers(await range(9n, (1n << 64n) - 1n))).toEqual([9, 10])
    expect(await range(11n, 0n)).toEqual([])
    expect(await range((1n << 64n) - 1n, 0n)).toEqual([])
    const [message] = await range(5n, 5n)
    expect(hex(message?.payload)).toBe(hex(encodeSyncBlocks({ correlationId: 9n, start: 5n, end: 5n }, [peer.ledger.blockBytes(5n) ?? new Uint8Array(0)])))
    expect(message).toMatchObject({ type: Message_Type.SYNC_BLOCKS, timestamp: undefined })
  })

  test('deltas come one a message, also down to 0; a request without a range does no harm', async () => {
    const { ask } = await asking()
    const range = (start: bigint, end: bigint) =>
      ask(Message_Type.SYNC_STATE_GET_DELTAS, encode(SyncStateDeltasRequest, { range: { correlationId: 9n, start, end } }))
    const found = (messages: readonly Message[]) => messages.map(({ payload }) => Number(decode(SyncStateDeltas, payload).range?.start))
    expect(found(await range(1n, 3n))).toEqual([1, 2, 3])
    expect(found(await range(1n, 0n))).toEqual([1, 0])
    expect(await ask(Message_Type.SYNC_STATE_GET_DELTAS, new Uint8Array(0))).toEqual([])
    expect(await ask(Message_Type.SYNC_GET_BLOCKS, unhex('ff'))).toEqual([])
  })

  test('a Weft peer is told at once what cannot be served; an original is told nothing', async () => {
    const weft = { session: 'ab', capabilities: new Set<string>(), settings: new Map<string, string>() }
    for (const isWeft of [true, false]) {
      const { peer, ask } = await asking(10, isWeft ? weft : undefined)
      const range = { correlationId: 9n, start: 9n, end: 12n }
      const blocks = (await ask(Message_Type.SYNC_GET_BLOCKS, encode(SyncBlockRange, range))).map(({ payload }) => decode(SyncBlocks, payload))
      expect(blocks.map(({ range: at, blocks: found }) => [at?.start, found.length])).toEqual([[9n, 1], [10n, 1], ...(isWeft ? [[11n, 0]] : [])])
      const deltas = (await ask(Message_Type.SYNC_STATE_GET_DELTAS, encode(SyncStateDeltasRequest, { range: { ...range, start: 11n } }))).map(({ payload }) =>
        decode(SyncStateDeltas, payload),
      )
      expect(deltas.map(({ range: at, deltas: found }) => [at?.start, at?.correlationId, found.length])).toEqual(isWeft ? [[11n, 9n, 0]] : [])
      await peer.ledger.deleteAllState()
      const pieces = await ask(Message_Type.SYNC_STATE_GET_SNAPSHOT, encode(SyncStateSnapshotRequest, { correlationId: 2n }))
      expect(pieces.map(({ payload }) => decode(SyncStateSnapshot, payload)).map(({ blockNumber, delta }) => [blockNumber, delta.length])).toEqual(
        isWeft ? [[(1n << 64n) - 1n, 0]] : [],
      )
    }
  })

  test('a snapshot comes one key a message, with a terminator', async () => {
    const { peer, ask } = await asking()
    const pieces = (await ask(Message_Type.SYNC_STATE_GET_SNAPSHOT, encode(SyncStateSnapshotRequest, { correlationId: 2n }))).map(({ payload }) =>
      decode(SyncStateSnapshot, payload),
    )
    const snapshot = peer.ledger.stateSnapshot()
    const entries = await collect(snapshot.entries)
    expect(pieces.map(({ sequence }) => Number(sequence))).toEqual([...entries.map((_, index) => index), entries.length])
    expect(pieces.at(-1)?.delta).toHaveLength(0)
    expect(new Set(pieces.map(({ blockNumber, request }) => `${blockNumber} ${request?.correlationId}`))).toEqual(new Set(['10 2']))
  })

  test('the snapshot of an empty state is its terminator, with sequence 1', async () => {
    const { ask } = await asking(0)
    const [piece, ...rest] = await ask(Message_Type.SYNC_STATE_GET_SNAPSHOT, encode(SyncStateSnapshotRequest, { correlationId: 2n }))
    expect(rest).toEqual([])
    expect(decode(SyncStateSnapshot, piece?.payload ?? new Uint8Array(0))).toMatchObject({ sequence: 1n, blockNumber: 0n })
  })

  test('whoever asks without end and takes nothing costs a bounded queue, and is cut off', async () => {
    const { world, peer, end } = await asking(200)
    end.pause()
    for (let i = 0; i < 5000; i++) {
      end.write(encodeMessage(Message_Type.SYNC_GET_BLOCKS, encode(SyncBlockRange, { correlationId: BigInt(i), start: 0n, end: 1n << 63n })))
      end.write(encodeMessage(Message_Type.SYNC_STATE_GET_SNAPSHOT, encode(SyncStateSnapshotRequest, { correlationId: BigInt(i) })))
    }
    await world.run(1000)
    const [link] = peer.network.status().links
    expect(link?.queuedMessages).toBeLessThan(100n)
    for (let i = 0; i < 40; i++) {
      end.write(encodeMessage(Message_Type.DISC_GET_PEERS))
      await world.run(2000)
    }
    expect(peer.log.join()).toContain('nothing was taken for 60 s')
  })

  test('a snapshot that is taken slowly is given up when others wait, and validators do not wait for others', async () => {
    const { world, behind: peer } = await lateNetwork(0, 0)
    await commitBlocks([peer.ledger], 60, 'x'.repeat(60_000))
    const reader = async (id: string, isSlow: boolean) => {
      const seen = { pieces: 0, isWhole: false }
      const { end } = world.script(peer)
      end.listen({
        drain: () => undefined,
        closed: () => undefined,
        message({ type, payload }) {
          if (type !== Message_Type.SYNC_STATE_SNAPSHOT) return
          seen.pieces++
          seen.isWhole ||= decode(SyncStateSnapshot, payload).delta.length === 0
        },
      })
      const type = id.startsWith('vp') ? PeerEndpoint_Type.VALIDATOR : PeerEndpoint_Type.NON_VALIDATOR
      const endpoint = PeerEndpoint.fromPartial({ ID: { name: id }, address: `${id}:1`, type })
      end.write(encodeMessage(Message_Type.DISC_HELLO, encodeHello(endpoint, EMPTY_LEDGER, undefined)))
      await world.run(20)
      const sip = (): void => {
        end.resume()
        end.pause()
        world.time.schedule(20_000, sip)
      }
      if (isSlow) sip()
      end.write(encodeMessage(Message_Type.SYNC_STATE_GET_SNAPSHOT, encode(SyncStateSnapshotRequest, { correlationId: 2n })))
      await world.run(20)
      return seen
    }
    for (const id of ['nvp1', 'nvp2', 'nvp3', 'nvp4']) await reader(id, true)
    const validator = await reader('vp2', false)
    await world.run(1000)
    expect(validator.isWhole).toBe(true)
    const patient = await reader('nvp5', false)
    await world.run(1000)
    expect(patient.pieces).toBe(0)
    await world.run(60_000)
    expect(patient.isWhole).toBe(true)
    expect(peer.log.join()).toContain('it is taken slowly, and others wait')
  })

  test('consensus messages are not held up by blocks for somebody else', async () => {
    const { world, peer, end, received } = await asking(200)
    received.length = 0
    end.pause()
    end.write(encodeMessage(Message_Type.SYNC_GET_BLOCKS, encode(SyncBlockRange, { correlationId: 2n, start: 0n, end: 200n })))
    await world.run(10)
    for (let i = 0; i < 50; i++) peer.network.transport.send(2, Buffer.alloc(300, 1))
    await world.run(10)
    end.resume()
    await world.run(500)
    const types = received.map(({ type }) => type)
    const firstConsensus = types.indexOf(Message_Type.CONSENSUS)
    const lastConsensus = types.lastIndexOf(Message_Type.CONSENSUS)
    expect(firstConsensus).toBeLessThan(5)
    expect(types.slice(firstConsensus, lastConsensus).filter((type) => type === Message_Type.SYNC_BLOCKS).length).toBeGreaterThan(0)
    expect(lastConsensus).toBeLessThan(130)
  })
})
