import { describe, expect, test } from 'vitest'
import { decode, Message_Type, SyncBlockRange } from '../../proto/index.js'
import { scripted, serveAs } from './scripted-source.js'
import { commitBlocks, lateNetwork, MEMBERS, sameLedger, type TransferPeer, transferPeer, transferTo } from './transfer-world.js'
import { World } from './world.js'

/** Sources that keep few deltas, and a peer without blocks. */
async function shortMemory(
  deltaHistorySize: number,
  blocks: number,
): Promise<{ world: World; sources: readonly [TransferPeer, TransferPeer]; behind: TransferPeer }> {
  const world = new World()
  const sources = [
    await transferPeer(world, 'vp0', MEMBERS, { ledger: { deltaHistorySize } }),
    await transferPeer(world, 'vp1', MEMBERS, { ledger: { deltaHistorySize } }),
  ] as const
  await commitBlocks(ledgersOf(sources), blocks)
  const behind = await transferPeer(world, 'vp2', MEMBERS)
  await world.run(2000)
  return { world, sources, behind }
}

const ledgersOf = (peers: readonly TransferPeer[]) => peers.map(({ ledger }) => ledger)

describe('a peer that is far behind', () => {
  test('writes many blocks at once', async () => {
    const { world, peers, behind } = await lateNetwork(1, 300)
    const from = peers[0]?.ledger ?? behind.ledger
    const before = behind.store.commits
    expect(await transferTo(world, behind, from)).toEqual({ reached: true })
    expect(await sameLedger(behind.ledger, from)).toBe(true)
    expect(behind.store.commits - before).toBeLessThan(25)
  })

  test('has the state of its target before the others drop the deltas that lead to it, however long the blocks take', async () => {
    const { world, sources, behind } = await shortMemory(50, 400)
    const target = sources[0].ledger.info()
    await commitBlocks(ledgersOf(sources), 40)
    let went = 0
    behind.ledger.onCommit(({ number }) => {
      if (number === 300n) void commitBlocks(ledgersOf(sources), 60).then(() => went++)
    })
    expect(await transferTo(world, behind, { info: () => target })).toEqual({ reached: true })
    expect(went).toBe(1)
    expect(sources[0].ledger.stateDelta(target.height)).toBeUndefined()
    expect(behind.ledger.info()).toEqual(target)
    expect((await behind.ledger.verify()).faults).toEqual([])
    expect(await transferTo(world, behind, sources[0].ledger)).toEqual({ reached: true })
    expect(await sameLedger(behind.ledger, sources[0].ledger)).toBe(true)
  })

  test('gives a target up at once that nobody has the deltas for any more, and reaches a newer one', async () => {
    const { world, sources, behind } = await shortMemory(20, 300)
    const target = sources[0].ledger.info()
    await commitBlocks(ledgersOf(sources), 60)
    const beganMs = world.time.nowMs
    expect(await transferTo(world, behind, { info: () => target }, [0, 1])).toMatchObject({
      reached: false,
      reason: expect.stringMatching(/^the target is too old: .*it does not have the delta of block 301/),
    })
    expect(world.time.nowMs - beganMs).toBeLessThan(500)
    expect(await transferTo(world, behind, sources[0].ledger)).toEqual({ reached: true })
    expect(await sameLedger(behind.ledger, sources[0].ledger)).toBe(true)
  })

  test('asks an original, which says nothing, for no longer than one time-out', async () => {
    const { world, behind } = await lateNetwork(0, 0)
    const { ledger } = await transferPeer(new World(), 'vp9', MEMBERS)
    await commitBlocks([ledger], 300)
    const target = ledger.info()
    await commitBlocks([ledger], 60)
    const { asked } = await scripted(
      world,
      behind,
      'vp2',
      serveAs(ledger, (type, _number, bytes) => (type === Message_Type.SYNC_STATE_DELTAS ? undefined : bytes), true),
    )
    const beganMs = world.time.nowMs
    expect(await transferTo(world, behind, { info: () => target }, [2])).toMatchObject({
      reached: false,
      reason: expect.stringContaining('the target is too old'),
    })
    expect(world.time.nowMs - beganMs).toBeLessThan(3000)
    expect(asked.map(({ type }) => type)).toEqual([Message_Type.SYNC_GET_BLOCKS, Message_Type.SYNC_STATE_GET_SNAPSHOT, Message_Type.SYNC_STATE_GET_DELTAS])
  })

  test('and was restarted in between does not fetch again what it has', async () => {
    const { world, behind } = await lateNetwork(0, 0)
    const { ledger } = await transferPeer(new World(), 'vp9', MEMBERS)
    await commitBlocks([ledger], 120)
    const numbers = Array.from({ length: 41 }, (_, index) => BigInt(100 - index))
    await behind.ledger.putRawBlocks(numbers.map((number) => ({ number, bytes: ledger.blockBytes(number) ?? expect.fail() })))
    const { asked } = await scripted(world, behind, 'vp2', serveAs(ledger))
    expect(await transferTo(world, behind, ledger, [2])).toEqual({ reached: true })
    const ranges = asked.filter(({ type }) => type === Message_Type.SYNC_GET_BLOCKS).map(({ payload }) => decode(SyncBlockRange, payload))
    expect(ranges.slice(0, 3).map(({ start, end }) => [Number(start), Number(end)])).toEqual([
      [120, 110],
      [109, 101],
      [59, 49],
    ])
    expect(await sameLedger(behind.ledger, ledger)).toBe(true)
  })

  test('and has a long chain of its own gives it up, and its state', async () => {
    const { world, peers, behind } = await lateNetwork(1, 300)
    const from = peers[0]?.ledger ?? behind.ledger
    await commitBlocks([behind.ledger], 40, 'fork')
    expect(await transferTo(world, behind, from)).toEqual({ reached: true })
    expect(await sameLedger(behind.ledger, from)).toBe(true)
    await commitBlocks([behind.ledger, from], 3)
    expect(await sameLedger(behind.ledger, from)).toBe(true)
  })
})
