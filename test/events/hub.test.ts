import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EventType, type Interest, PositionedEvent, blockEventBytes, decode } from '../../proto/index.js'
import type { Consumer } from '../../plugins/events/consumer.js'
import type { EventHub } from '../../plugins/events/hub.js'
import { Interests } from '../../plugins/events/interests.js'
import { parsePosition } from '../../plugins/events/position.js'
import type { ReplayStart } from '../../plugins/events/replay-feed.js'
import { FakeChain, TestOutlet, blockBytes, executed, newHub, settled } from './kit.js'

const of = (eventType: EventType): Interest => ({ eventType, RegInfo: undefined })
const chaincode = (chaincodeID: string, eventName = ''): Interest => ({
  eventType: EventType.CHAINCODE,
  RegInfo: { $case: 'chaincodeRegInfo', value: { chaincodeID, eventName } },
})
const EVERYTHING = [of(EventType.BLOCK), of(EventType.REJECTION), chaincode('cc')]

function interestsIn(interests: readonly Interest[]): Interests {
  const all = new Interests()
  for (const interest of interests) all.add(interest)
  return all
}

function live(hub: EventHub, outlet: TestOutlet, interests: readonly Interest[] = EVERYTHING): Consumer {
  const consumer = hub.admit(outlet)
  hub.follow(consumer, interestsIn(interests))
  return consumer
}

function replaying(hub: EventHub, outlet: TestOutlet, start: ReplayStart, interests: readonly Interest[] = EVERYTHING): Consumer {
  const consumer = hub.admit(outlet)
  hub.replay(consumer, interestsIn(interests), start, ({ positioned }) => positioned)
  return consumer
}

const kinds = ({ got }: TestOutlet) => got.map((bytes) => decode(PositionedEvent, bytes).Event?.$case)
const ids = ({ got }: TestOutlet) => got.map((bytes) => decode(PositionedEvent, bytes).position)

const MIXED = [executed('t0', { event: ['cc', 'paid'] }), executed('t1', { error: 'why', event: ['cc', 'tried'] }), executed('t2', { event: ['other', 'x'] })]

describe('live', () => {
  test('the events of a block come as rejections, block, chaincode events', async () => {
    const { hub, chain } = newHub()
    const outlet = new TestOutlet()
    live(hub, outlet)
    chain.commit(MIXED)
    await settled()
    expect(kinds(outlet)).toEqual(['rejection', 'block', 'chaincodeEvent', 'chaincodeEvent'])
    const events = outlet.got.map((bytes) => decode(PositionedEvent, bytes).Event)
    expect(events[0]).toMatchObject({ value: { tx: { txid: 't1' }, errorMsg: 'why' } })
    expect(events[2]).toMatchObject({ value: { chaincodeID: 'cc', txID: 't0', eventName: 'paid' } })
    expect(events[3]).toMatchObject({ value: { txID: 't1', eventName: 'tried' } })
  })

  test('a block that a transfer writes is announced alone, as v0.6 does', async () => {
    const { hub, chain } = newHub()
    const outlet = new TestOutlet()
    live(hub, outlet)
    chain.store(7n, blockBytes(MIXED))
    await settled()
    expect(kinds(outlet)).toEqual(['block'])
  })

  test('all consumers are handed the very same bytes', async () => {
    const { hub, chain } = newHub()
    const outlets = Array.from({ length: 5 }, () => new TestOutlet())
    for (const outlet of outlets) live(hub, outlet)
    chain.commit(MIXED)
    await settled()
    for (const { got } of outlets) for (const [index, bytes] of got.entries()) expect(bytes).toBe(outlets[0]?.got[index])
    expect(outlets[0]?.got[1]).toEqual(blockEventBytes(blockBytes(MIXED)))
  })

  test('text that is not UTF-8 stays as it was', async () => {
    const { hub, chain } = newHub()
    const outlet = new TestOutlet()
    live(hub, outlet, [of(EventType.BLOCK)])
    const bytes = Buffer.from(blockBytes([executed('PLACEHOLDER', { event: ['cc', 'e'] })]))
    bytes.write('\xff\xfe', bytes.indexOf('PLACEHOLDER'), 'latin1')
    chain.store(0n, bytes)
    await settled()
    expect(outlet.got).toEqual([blockEventBytes(bytes)])
  })
})

/** Enough that nothing more is handed to the connection. */
const FILLER = 70_000

describe('a consumer that does not read', () => {
  test('is given its buffer, then the timeout, then dropped with a reason; the others lose nothing', async () => {
    const { hub, chain, clock, lines } = newHub({ bufferBlocks: 3, timeoutMs: 10 })
    const slow = new TestOutlet(false)
    const quick = new TestOutlet()
    live(hub, slow)
    live(hub, quick)
    for (let block = 0; block < 4; block++) chain.commit([], FILLER)
    await settled()
    clock.advance(1000)
    expect(slow.failure).toBeUndefined()
    chain.commit([], FILLER)
    await settled()
    clock.advance(9)
    expect(slow.failure).toBeUndefined()
    clock.advance(1)
    expect(slow.failure).toContain('the events of 4 blocks were waiting, allowed are 3 (peer.validator.events.buffersize, .timeout)')
    expect(lines.join()).toContain('dropped an event consumer')
    clock.advance(5000)
    expect(slow.isCut).toBe(true)
    chain.commit([], FILLER)
    await settled()
    expect(quick.got).toHaveLength(6)
    expect(slow.got).toHaveLength(1)
  })

  test('is kept if it reads in time', async () => {
    const { hub, chain, clock } = newHub({ bufferBlocks: 3, timeoutMs: 10 })
    const outlet = new TestOutlet(false)
    live(hub, outlet)
    for (let block = 0; block < 5; block++) chain.commit([], FILLER)
    await settled()
    clock.advance(5)
    outlet.resume()
    await settled()
    clock.advance(1000)
    expect(outlet.failure).toBeUndefined()
    expect(outlet.got).toHaveLength(5)
  })

  test('is dropped at once with a timeout below 0, never for its blocks with 0, always for its bytes', async () => {
    for (const [timeoutMs, bufferBytes, text] of [
      [-1, 10_000_000, 'the events of 4 blocks'],
      [0, 10_000_000, undefined],
      [0, 200_000, 'bytes of events were waiting, allowed are 200000'],
    ] as const) {
      const { hub, chain, clock } = newHub({ bufferBlocks: 3, timeoutMs, bufferBytes })
      const outlet = new TestOutlet(false)
      live(hub, outlet)
      for (let block = 0; block < 5; block++) chain.commit([], FILLER)
      await settled()
      if (timeoutMs === 0) clock.advance(100_000)
      if (text === undefined) expect(outlet.failure).toBeUndefined()
      else expect(outlet.failure).toContain(text)
    }
  })

  test('is not dropped for one block alone, however many events it has', async () => {
    const { hub, chain, clock } = newHub({ bufferBlocks: 1, timeoutMs: -1, bufferBytes: 1024 })
    const outlet = new TestOutlet(false)
    live(hub, outlet)
    chain.commit(
      Array.from({ length: 3000 }, (_, index) => executed(`t${index}`, { error: 'no', event: ['cc', 'e'] })),
      FILLER,
    )
    await settled()
    clock.advance(1000)
    expect(outlet.failure).toBeUndefined()
    outlet.resume()
    await settled(8000)
    expect(outlet.got).toHaveLength(6001)
  })
})

test('whoever wants rejections alone has the same bounds', async () => {
  const { hub, chain } = newHub({ bufferBlocks: 3, timeoutMs: -1 })
  const outlet = new TestOutlet(false)
  live(hub, outlet, [of(EventType.REJECTION)])
  for (let block = 0; block < 5; block++) chain.commit([executed('t', { error: 'x'.repeat(FILLER) })])
  await settled()
  expect(outlet.failure).toContain('the events of 4 blocks')
})

test('large events on their way are bounded over all consumers; who waits for the others gets them later', async () => {
  const { hub, chain } = newHub({ bufferBlocks: 3, timeoutMs: 0 })
  const outlets = Array.from({ length: 40 }, () => new TestOutlet(false))
  const consumers = outlets.map((outlet) => live(hub, outlet, [of(EventType.BLOCK)]))
  chain.commit([], 10 * 1024 * 1024)
  await settled()
  expect(outlets.filter(({ got }) => got.length > 0)).toHaveLength(25)
  // One that vanishes makes room, as one that reads does.
  consumers[0]?.release()
  outlets[1]?.resume()
  await settled()
  expect(outlets.filter(({ got }) => got.length > 0)).toHaveLength(27)
  for (const outlet of outlets) outlet.resume()
  await settled(100)
  expect(outlets.map(({ got }) => got.length)).toEqual(Array(40).fill(1))
})

test('beyond the number of consumers the next one is refused until one has gone', () => {
  const { hub } = newHub({ maxConsumers: 2 })
  const first = live(hub, new TestOutlet())
  live(hub, new TestOutlet())
  expect(() => hub.admit(new TestOutlet())).toThrow('this peer has 2 event consumers, its limit (peer.validator.events.maxconsumers)')
  first.release()
  live(hub, new TestOutlet())
})

test('a hub that closes ends everybody', async () => {
  const { hub, chain } = newHub()
  const outlet = new TestOutlet()
  live(hub, outlet)
  chain.commit()
  hub.close()
  expect(outlet.failure).toBe('the peer stops')
  expect(() => hub.admit(new TestOutlet())).toThrow('the peer stops')
})

describe('a replay', () => {
  test('sends past blocks and then new ones; rejections as far as they are remembered', async () => {
    const chain = new FakeChain()
    for (let block = 0; block < 3; block++) chain.commit(MIXED)
    const { hub } = newHub({}, chain)
    const outlet = new TestOutlet()
    replaying(hub, outlet, { from: 1n })
    await settled()
    chain.commit(MIXED)
    await settled()
    expect(ids(outlet)).toEqual(['1', '1.c0', '1.c1', '2', '2.c0', '2.c1', '3.r1', '3', '3.c0', '3.c1'])
    const later = new TestOutlet()
    replaying(hub, later, { after: parsePosition('2.c0', 'test') })
    await settled()
    expect(ids(later)).toEqual(['2.c1', '3.r1', '3', '3.c0', '3.c1'])
  })

  test('reads no further than its consumer does', async () => {
    const chain = new FakeChain()
    for (let block = 0; block < 1000; block++) chain.commit([], 20_000)
    const { hub } = newHub({}, chain)
    const outlet = new TestOutlet(false)
    const consumer = replaying(hub, outlet, { from: 0n })
    await settled(100)
    expect(chain.reads).toBeLessThanOrEqual(6)
    expect(consumer.outbox.waitingBytes).toBe(0)
    outlet.resume()
    await settled(3000)
    expect(ids(outlet)).toEqual(Array.from({ length: 1000 }, (_, index) => String(index)))
  })

  test('waits at a hole until the block is there, and sends transferred blocks in the order of the chain', async () => {
    const { hub, chain } = newHub()
    chain.commit()
    const outlet = new TestOutlet()
    replaying(hub, outlet, { from: 0n })
    for (const number of [5n, 4n, 3n, 1n]) chain.store(number, blockBytes(MIXED))
    await settled()
    expect(ids(outlet)).toEqual(['0', '1', '1.c0', '1.c1'])
    chain.store(2n, blockBytes([]))
    await settled()
    expect(ids(outlet).filter((id) => !id.includes('.'))).toEqual(['0', '1', '2', '3', '4', '5'])
  })

  test('that takes nothing for a minute is dropped', async () => {
    const { hub, chain, clock } = newHub()
    for (let block = 0; block < 10; block++) chain.commit([], FILLER)
    const outlet = new TestOutlet(false)
    replaying(hub, outlet, { from: 0n })
    await settled()
    for (let check = 0; check < 5; check++) clock.advance(10_000)
    expect(outlet.failure).toBeUndefined()
    clock.advance(10_000)
    expect(outlet.failure).toContain('has read nothing for 60 s')
  })

  test('of damaged data ends its own consumer only', async () => {
    const { hub, chain } = newHub()
    chain.blocks.set(0n, Buffer.from([0x3a, 0x7f]))
    const [broken, sound] = [new TestOutlet(), new TestOutlet()]
    replaying(hub, broken, { from: 0n })
    chain.commit(MIXED)
    replaying(hub, sound, { from: 1n })
    await settled()
    expect(broken.failure).toContain('the events cannot be read')
    expect(sound.got.length).toBeGreaterThan(1)
  })

  test('cannot begin beyond the next block; who resumes waits for the chain', async () => {
    const { hub, chain } = newHub()
    chain.commit()
    expect(() => hub.checkStart({ from: 2n })).toThrow('expected a block up to 1, which comes next, found 2')
    const outlet = new TestOutlet()
    replaying(hub, outlet, { after: parsePosition('2', 'test') }, [of(EventType.BLOCK)])
    for (let block = 0; block < 3; block++) chain.commit()
    await settled()
    expect(ids(outlet)).toEqual(['3'])
  })

  test('shares the time with everything else: a consumer whom nothing interests does not stop the loop', async () => {
    const chain = new FakeChain()
    for (let block = 0; block < 5000; block++) chain.commit()
    const { hub } = newHub({}, chain)
    const outlet = new TestOutlet()
    replaying(hub, outlet, { from: 0n }, [chaincode('nobody')])
    await settled(1)
    chain.commit([executed('t', { event: ['nobody', 'e'] })])
    await settled(100)
    expect(ids(outlet)).toEqual(['5000.c0'])
  })
})

test('a listener that is cut off a hundred times at any event, and resumes, sees every event once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(12), { minLength: 100, maxLength: 100 }), async (lives) => {
      const { hub, chain } = newHub()
      for (let block = 0; block < 5; block++) chain.commit([executed(`a${block}`, { event: ['cc', 'e'] })])
      const seen: string[] = []
      let start: ReplayStart = { from: 0n }
      for (const [index, life] of lives.entries()) {
        const outlet = new TestOutlet()
        const consumer = replaying(hub, outlet, start)
        if (index < 60) chain.commit([executed(`b${index}`, { error: 'no' }), executed(`c${index}`, { event: ['cc', 'e'] })])
        await settled(4)
        // Killed after it has recorded some of what came.
        for (const id of ids(outlet).slice(0, life)) {
          seen.push(id)
          start = { after: parsePosition(id, 'test') }
        }
        consumer.release()
      }
      const rest = new TestOutlet()
      replaying(hub, rest, start)
      await settled(100)
      seen.push(...ids(rest))
      const expected = [...Array(5).keys()].flatMap((block) => [`${block}`, `${block}.c0`])
      const more = [...Array(60).keys()].flatMap((index) => [`${index + 5}.r0`, `${index + 5}`, `${index + 5}.c1`])
      expect(seen).toEqual([...expected, ...more])
      hub.close()
    }),
    { numRuns: 5 },
  )
})
