import { describe, expect, test } from 'vitest'
import { encodeDelta, StateDelta } from '../../plugins/ledger/index.js'
import { encodeMessage } from '../../plugins/network/messages.js'
import {
  decode,
  encode,
  encodeSyncBlocks,
  type Message,
  Message as MessageCodec,
  Message_Type,
  SyncBlockRange,
  SyncBlocks,
  SyncStateDeltas,
  SyncStateDeltasRequest,
  SyncStateSnapshot,
  SyncStateSnapshotRequest,
} from '../../proto/index.js'
import { hex, text, unhex, vector } from '../ledger/kit.js'
import { commitBlocks, lateNetwork, MEMBERS, sameLedger, type TransferPeer, transferPeer, transferTo } from './transfer-world.js'
import { type Answer, scripted, serveAs, withBlock } from './scripted-source.js'
import { World } from './world.js'

const SHIPPED = { numBuckets: 1_000_003, maxGroupingAtEachLevel: 5 }

describe('a peer that is behind', () => {
  test('by a few blocks fetches blocks down and deltas up, in the ranges of the original', async () => {
    interface Trace {
      readonly cases: readonly {
        readonly note: string
        readonly targetBlock: number
        readonly attempts: readonly { readonly calls: readonly { call: string; start?: number; end?: number }[] }[]
      }[]
    }
    const { cases } = vector('state_transfer_traces.json', (json): Trace => JSON.parse(json))
    for (const { targetBlock, attempts } of cases.filter(({ note }) => note.startsWith('25 blocks behind') || note.startsWith('50 behind'))) {
      const { world, behind, peers } = await lateNetwork(1, targetBlock)
      const [vp0] = peers
      const { asked } = await scripted(world, behind, 'vp2', serveAs(vp0?.ledger ?? behind.ledger))
      expect(await transferTo(world, behind, vp0?.ledger ?? behind.ledger, [2])).toEqual({ reached: true })
      const calls = asked.map(({ type, payload }) => {
        const range = type === Message_Type.SYNC_GET_BLOCKS ? decode(SyncBlockRange, payload) : decode(SyncStateDeltasRequest, payload).range
        return { call: type === Message_Type.SYNC_GET_BLOCKS ? 'requestBlocks' : 'requestStateDeltas', end: Number(range?.end), start: Number(range?.start) }
      })
      expect(calls).toEqual(attempts[0]?.calls.filter(({ call }) => call.startsWith('request')))
      expect(
        asked.map(
          ({ type, payload }) =>
            (type === Message_Type.SYNC_GET_BLOCKS ? decode(SyncBlockRange, payload) : decode(SyncStateDeltasRequest, payload).range)?.correlationId,
        ),
      ).toEqual(
        [2n, 3n, 4n, 5n, 6n]
          .slice(0, calls.filter(({ call }) => call === 'requestBlocks').length)
          .concat([2n, 3n, 4n].slice(0, calls.filter(({ call }) => call !== 'requestBlocks').length)),
      )
      expect(await sameLedger(behind.ledger, vp0?.ledger ?? behind.ledger)).toBe(true)
    }
  })

  test('by large blocks with large state gets all of them, from a single neighbour at its first attempt', async () => {
    const { world, peers, behind } = await lateNetwork(1, 0)
    const [vp0 = behind] = peers
    await commitBlocks([vp0.ledger], 120, 'x'.repeat(60_000))
    expect(await transferTo(world, behind, vp0.ledger)).toEqual({ reached: true })
    expect(await sameLedger(behind.ledger, vp0.ledger)).toBe(true)
    expect(behind.transferLog.filter((line) => !line.startsWith('info '))).toEqual([])
    // Now by a snapshot: nearer the head than all deltas.
    const { world: other, peers: full, behind: empty } = await lateNetwork(1, 260)
    const [head = empty] = full
    await commitBlocks([head.ledger], 60, 'y'.repeat(60_000))
    expect(await transferTo(other, empty, head.ledger)).toEqual({ reached: true })
    expect(await sameLedger(empty.ledger, head.ledger)).toBe(true)
    expect(empty.transferLog.filter((line) => !line.startsWith('info '))).toEqual([])
  })

  test.each([1, 60, 200, 201, 450])('by %i blocks ends with the same chain and the same state', async (blocks) => {
    const { world, peers, behind } = await lateNetwork(3, blocks)
    const from = peers[0]?.ledger ?? behind.ledger
    expect(await transferTo(world, behind, from)).toEqual({ reached: true })
    expect(await sameLedger(behind.ledger, from)).toBe(true)
    await commitBlocks([behind.ledger, from], 3)
    expect(await sameLedger(behind.ledger, from)).toBe(true)
  })

  test('far, while the others go on: the snapshot is newer than the target, and is played back to it', async () => {
    const { world, peers, behind } = await lateNetwork(2, 300)
    const [vp0, vp1] = peers
    if (!vp0 || !vp1) throw new Error('two peers')
    const target = vp0.ledger.info()
    await commitBlocks([vp0.ledger, vp1.ledger], 60)
    const stub = { info: () => target }
    expect(await transferTo(world, behind, stub)).toEqual({ reached: true })
    expect(behind.ledger.info()).toEqual(target)
    expect((await behind.ledger.verify()).faults).toEqual([])
    expect(await transferTo(world, behind, vp0.ledger)).toEqual({ reached: true })
    expect(await sameLedger(behind.ledger, vp0.ledger)).toBe(true)
  })

  test('at its target already asks nobody', async () => {
    const { world, behind } = await lateNetwork(1, 0)
    const { asked } = await scripted(world, behind, 'vp2', () => undefined)
    expect(await transferTo(world, behind, behind.ledger)).toEqual({ reached: true })
    expect(asked).toEqual([])
  })

  test('and has no state, or no block at all, gets both', async () => {
    const { world, peers, behind } = await lateNetwork(1, 20, { genesis: false })
    const from = peers[0]?.ledger ?? behind.ledger
    expect(await transferTo(world, behind, from)).toEqual({ reached: true })
    expect(await sameLedger(behind.ledger, from)).toBe(true)
    await behind.ledger.deleteAllState()
    expect(await transferTo(world, behind, from)).toEqual({ reached: true })
    expect(await sameLedger(behind.ledger, from)).toBe(true)
  })

  test('and whose sources keep no deltas gets a snapshot', async () => {
    const world = new World()
    const vp0 = await transferPeer(world, 'vp0', MEMBERS, { ledger: { deltaHistorySize: 0 } })
    await commitBlocks([vp0.ledger], 30)
    const behind = await transferPeer(world, 'vp1', MEMBERS)
    await world.run(1000)
    expect(await transferTo(world, behind, vp0.ledger)).toEqual({ reached: true })
    expect(await sameLedger(behind.ledger, vp0.ledger)).toBe(true)
  })

  test('and has another chain than the others gives it up, unless statetransfer.recoverdamage is false', async () => {
    for (const mayReplace of [true, false]) {
      const { world, peers, behind } = await lateNetwork(2, 10, { sync: { 'statetransfer.recoverdamage': mayReplace } })
      const from = peers[0]?.ledger ?? behind.ledger
      await commitBlocks([behind.ledger], 10, 'fork')
      await commitBlocks(
        peers.map(({ ledger }) => ledger),
        2,
      )
      const result = await transferTo(world, behind, from)
      if (mayReplace) {
        expect(result).toEqual({ reached: true })
        expect(await sameLedger(behind.ledger, from)).toBe(true)
      } else expect(result).toMatchObject({ reached: false, reason: expect.stringContaining('is stored here, but it is not the one of the chain') })
    }
  })

  test('by one block that took the place of its own head has the right head', async () => {
    const { world, peers, behind } = await lateNetwork(1, 10)
    const from = peers[0]?.ledger ?? behind.ledger
    await commitBlocks([behind.ledger], 10, 'fork')
    expect(await transferTo(world, behind, from)).toEqual({ reached: true })
    expect(behind.ledger.info()).toEqual(from.info())
  })

  test('a target below its own height is refused', async () => {
    const { world, peers, behind } = await lateNetwork(1, 5)
    await commitBlocks([behind.ledger], 9)
    expect(await transferTo(world, behind, peers[0]?.ledger ?? behind.ledger)).toMatchObject({
      reached: false,
      reason: expect.stringContaining('below the height'),
    })
  })
})

describe('a transfer that is cut short', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])('after %i writes goes on after a restart, from what is there', async (writes) => {
    const { world, peers, behind } = await lateNetwork(2, 120, { sync: { 'statetransfer.maxdeltas': writes % 2 === 0 ? 50 : 200 } })
    const from = peers[0]?.ledger ?? behind.ledger
    let left = writes
    const { store } = behind
    const commit = store.commit.bind(store)
    // From here on nothing is written and nobody is told, as after kill -9.
    store.commit = (batch) => (left-- > 0 ? commit(batch) : new Promise<void>(() => undefined))
    const { height, currentBlockHash: hash } = from.info()
    void behind.transfer.transfer({ height, hash, members: [] })
    await world.run(20_000)
    store.commit = commit
    world.silence(behind)
    const again = await transferPeer(world, behind.id, MEMBERS, { store, session: 'beef' })
    await world.run(5000)
    expect(await transferTo(world, again, from)).toEqual({ reached: true })
    expect(await sameLedger(again.ledger, from)).toBe(true)
  })

  test('by the end of the peer says so at once', async () => {
    const { world, peers, behind } = await lateNetwork(1, 5)
    await peers[0]?.network.stop()
    await world.run(100)
    const waiting = transferTo(world, behind, peers[0]?.ledger ?? behind.ledger)
    await world.run(100)
    behind.transfer.abort('this peer is stopping')
    expect(await waiting).toEqual({ reached: false, reason: 'this peer is stopping' })
  })
})

describe('a source that', () => {
  const corrupt = (bytes: Uint8Array): Uint8Array => {
    const changed = Buffer.from(bytes)
    changed[changed.length >> 1] = (changed[changed.length >> 1] ?? 0) ^ 1
    return changed
  }
  const wrongDelta = (): Uint8Array => {
    const delta = new StateDelta()
    delta.set(text('cc'), text('forged'), text('1000000'), undefined)
    return encodeDelta(delta)
  }
  const snapshotOf =
    (block: bigint, pieces: readonly Uint8Array[], sequences = pieces.map((_, index) => BigInt(index))) =>
    (request: Message, say: (type: Message_Type, payload: Uint8Array) => void) => {
      const asked = decode(SyncStateSnapshotRequest, request.payload)
      for (const [index, delta] of pieces.entries()) {
        say(Message_Type.SYNC_STATE_SNAPSHOT, encode(SyncStateSnapshot, { delta, sequence: sequences[index] ?? 0n, blockNumber: block, request: asked }))
      }
    }
  const onlyBlocks =
    (from: TransferPeer, rest: Answer): Answer =>
    (request, say, end) =>
      request.type === Message_Type.SYNC_GET_BLOCKS ? serveAs(from.ledger)(request, say) : rest(request, say, end)
  const cases: readonly (readonly [string, (from: TransferPeer) => Answer])[] = [
    ['is silent', () => () => undefined],
    [
      'sends a changed block',
      (from) => serveAs(from.ledger, (type, number, bytes) => (type === Message_Type.SYNC_BLOCKS && number === 20n ? corrupt(bytes) : bytes)),
    ],
    ['sends blocks that are none', (from) => serveAs(from.ledger, (type, _number, bytes) => (type === Message_Type.SYNC_BLOCKS ? unhex('ffffff') : bytes))],
    [
      'sends other blocks than asked for',
      (from) => serveAs(from.ledger, (type, number, bytes) => (type === Message_Type.SYNC_BLOCKS ? (from.ledger.blockBytes(number / 2n) ?? bytes) : bytes)),
    ],
    ['leaves a block out', (from) => serveAs(from.ledger, (type, number, bytes) => (type === Message_Type.SYNC_BLOCKS && number === 15n ? undefined : bytes))],
    ['sends each block twice', (from) => (request, say) => serveAs(from.ledger)(request, (type, payload) => (say(type, payload), say(type, payload)))],
    [
      'sends a wrong delta',
      (from) => serveAs(from.ledger, (type, number, bytes) => (type === Message_Type.SYNC_STATE_DELTAS && number === 7n ? wrongDelta() : bytes)),
    ],
    ['sends deltas that are none', (from) => serveAs(from.ledger, (type, _number, bytes) => (type === Message_Type.SYNC_STATE_DELTAS ? unhex('ff') : bytes))],
    [
      'sends replies without a range',
      () => (_request, say) => (
        say(Message_Type.SYNC_BLOCKS, encode(SyncBlocks, { range: undefined, blocks: [] })), say(Message_Type.SYNC_STATE_DELTAS, new Uint8Array(0))
      ),
    ],
    [
      'sends a block just before each time-out, which would take hours',
      (from) => {
        let waitMs = 0
        return (request, say, end) => {
          waitMs = 0
          serveAs(from.ledger)(request, (type, payload) => {
            waitMs += 1900
            end.later(waitMs, () => say(type, payload))
          })
        }
      },
    ],
    [
      'sends blocks without end',
      (from) => (request, say) => {
        if (request.type !== Message_Type.SYNC_GET_BLOCKS) return
        const range = decode(SyncBlockRange, request.payload)
        const block = from.ledger.blockBytes(range.start) ?? new Uint8Array(0)
        for (let i = 0; i < 20_000; i++) say(Message_Type.SYNC_BLOCKS, withBlock({ ...range, end: range.start }, block))
      },
    ],
    ['ends the link', () => (_request, _say, end) => end.cut('gone')],
    [
      'sends a forged snapshot',
      (from) =>
        onlyBlocks(
          from,
          (request, say) => request.type === Message_Type.SYNC_STATE_GET_SNAPSHOT && snapshotOf(300n, [wrongDelta(), new Uint8Array(0)])(request, say),
        ),
    ],
    [
      'sends a snapshot in the wrong order',
      (from) =>
        onlyBlocks(
          from,
          (request, say) => request.type === Message_Type.SYNC_STATE_GET_SNAPSHOT && snapshotOf(300n, [wrongDelta(), wrongDelta()], [0n, 2n])(request, say),
        ),
    ],
    [
      'sends a snapshot of two blocks',
      (from) =>
        onlyBlocks(from, (request, say) => {
          snapshotOf(300n, [wrongDelta()])(request, say)
          snapshotOf(299n, [wrongDelta()], [1n])(request, say)
        }),
    ],
    ['sends a snapshot of a block far away', (from) => onlyBlocks(from, (request, say) => snapshotOf(1n << 63n, [wrongDelta()])(request, say))],
    ['sends a snapshot that stops', (from) => onlyBlocks(from, (request, say) => snapshotOf(300n, [wrongDelta()])(request, say))],
    ['sends a snapshot of something else', (from) => onlyBlocks(from, (request, say) => snapshotOf(300n, [unhex('ffff')])(request, say))],
  ]
  test.each(cases)('%s is left, and another one used', async (what, answer) => {
    const blocks = what.includes('snapshot') ? 300 : 25
    const { world, peers, behind } = await lateNetwork(1, blocks)
    const [vp0] = peers
    if (!vp0) throw new Error('a peer')
    const { asked } = await scripted(world, behind, 'vp2', answer(vp0))
    expect(await transferTo(world, behind, vp0.ledger, [2])).toEqual({ reached: true })
    expect(asked.length).toBeGreaterThan(0)
    expect(await sameLedger(behind.ledger, vp0.ledger)).toBe(true)
  })

  test('sends its blocks slowly is left for another one, and what it sent is kept', async () => {
    const { world, peers, behind } = await lateNetwork(1, 1500)
    const [vp0] = peers
    if (!vp0) throw new Error('a peer')
    let sent = 0
    await scripted(world, behind, 'vp2', (request, say) => {
      const all: [Message_Type, Uint8Array][] = []
      serveAs(vp0.ledger, undefined, true)(request, (type, payload) => void all.push([type, payload]))
      const next = (): void => {
        const answer = all.shift()
        if (answer) say(...answer)
        if (answer?.[0] === Message_Type.SYNC_BLOCKS) sent++
        if (answer) world.time.schedule(200, next)
      }
      next()
    })
    const startedMs = world.clock.elapsedMs()
    expect(await transferTo(world, behind, vp0.ledger, [2])).toEqual({ reached: true })
    expect(world.clock.elapsedMs() - startedMs).toBeLessThan(60_000)
    expect(sent).toBeGreaterThan(30)
    expect(behind.transferLog.join()).toContain('it sends too slowly')
    expect(await sameLedger(behind.ledger, vp0.ledger)).toBe(true)
  })

  test('sends its blocks slowly serves all the same if there is no other', async () => {
    const { world, peers, behind } = await lateNetwork(1, 400)
    const [vp0] = peers
    if (!vp0) throw new Error('a peer')
    const from = { info: () => vp0.ledger.info() }
    await vp0.network.stop()
    await world.run(100)
    await scripted(world, behind, 'vp2', (request, say) => {
      const all: [Message_Type, Uint8Array][] = []
      serveAs(vp0.ledger)(request, (type, payload) => void all.push([type, payload]))
      const next = (): void => {
        const answer = all.shift()
        if (answer) say(...answer)
        if (all.length > 0) world.time.schedule(200, next)
      }
      next()
    })
    await commitBlocks([behind.ledger], 250)
    expect(await transferTo(world, behind, from)).toEqual({ reached: true })
    expect(await sameLedger(behind.ledger, vp0.ledger)).toBe(true)
  })

  test('sends a snapshot without end is stopped by statetransfer.timeout.fullstate, and the sender is slowed down meanwhile', async () => {
    const { world, peers, behind } = await lateNetwork(1, 300)
    const [vp0] = peers
    if (!vp0) throw new Error('a peer')
    let sent = 0
    const { end } = await scripted(world, behind, 'vp2', (request, say) => {
      if (request.type === Message_Type.SYNC_GET_BLOCKS) return serveAs(vp0.ledger)(request, say)
      const more = (): void => {
        if (sent > 200_000) return
        for (let i = 0; i < 100; i++, sent++) snapshotOf(300n, [wrongDelta()], [BigInt(sent)])(request, say)
        world.time.schedule(200, more)
      }
      more()
    })
    expect(await transferTo(world, behind, vp0.ledger, [2])).toEqual({ reached: true })
    expect(behind.transferLog.join()).toContain('its snapshot did not end within 60 s')
    expect(await sameLedger(behind.ledger, vp0.ledger)).toBe(true)
    end.cut('over')
  })

  test('nobody answers: the transfer fails in bounded time, naming everybody', async () => {
    const { world, behind } = await lateNetwork(0, 0)
    await scripted(world, behind, 'vp2', () => undefined)
    const { ledger } = await transferPeer(new World(), 'vp9', MEMBERS)
    await commitBlocks([ledger], 5)
    expect(await transferTo(world, behind, ledger)).toEqual({ reached: false, reason: 'vp2: nothing came within 2 s' })
  })
})

test('the bytes of requests and replies are those of the original', () => {
  const { messages } = vector('sync_messages.json', (json): { messages: readonly { messageHex: string; payloadHex: string; note: string }[] } =>
    JSON.parse(json),
  )
  for (const { messageHex, payloadHex } of messages) {
    const { type, payload } = decode(MessageCodec, unhex(messageHex))
    expect(hex(payload)).toBe(payloadHex)
    expect(hex(encodeMessage(type, payload))).toBe(messageHex)
  }
  const first = messages.find(({ note }) => note === 'first block request on a stream, blocks 7 down to 1')
  expect(hex(encode(SyncBlockRange, { correlationId: 2n, start: 7n, end: 1n }))).toBe(first?.payloadHex)
})

test('the chain of the original is fetched from its own blocks and deltas', async () => {
  interface OriginalBlock {
    readonly storedBlockHex: string
    readonly blockHashHex: string
    readonly stateHashHex: string | null
    readonly storedStateDeltaHex?: string | null
  }
  const { blocks } = vector('chain.json', (json): { blocks: readonly OriginalBlock[] } => JSON.parse(json))
  const world = new World()
  const behind = await transferPeer(world, 'vp0', MEMBERS, { ledger: SHIPPED })
  const { asked } = await scripted(world, behind, 'vp2', (request, say) => {
    const isBlocks = request.type === Message_Type.SYNC_GET_BLOCKS
    const range = (isBlocks ? decode(SyncBlockRange, request.payload) : decode(SyncStateDeltasRequest, request.payload).range) ?? SyncBlockRange.fromPartial({})
    const { correlationId, start, end } = range
    for (let number = start; start <= end ? number <= end : number >= end; number += start <= end ? 1n : -1n) {
      const block = blocks[Number(number)]
      const one = { correlationId, start: number, end: number }
      if (isBlocks) say(Message_Type.SYNC_BLOCKS, encodeSyncBlocks(one, [unhex(block?.storedBlockHex ?? '')]))
      else say(Message_Type.SYNC_STATE_DELTAS, encode(SyncStateDeltas, { range: one, deltas: [unhex(block?.storedStateDeltaHex ?? '00')] }))
    }
  })
  const head = blocks.at(-1)
  const info = { height: BigInt(blocks.length), currentBlockHash: unhex(head?.blockHashHex ?? ''), previousBlockHash: new Uint8Array(0) }
  expect(await transferTo(world, behind, { info: () => info })).toEqual({ reached: true })
  expect(asked).toHaveLength(2)
  expect(hex(behind.ledger.stateHash())).toBe(head?.stateHashHex)
  expect((await behind.ledger.verify()).faults).toEqual([])
  for (const [number, { storedBlockHex }] of blocks.entries()) if (number > 0) expect(hex(behind.ledger.blockBytes(BigInt(number)))).toBe(storedBlockHex)
})
