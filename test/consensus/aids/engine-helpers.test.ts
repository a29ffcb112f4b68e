import fc from 'fast-check'
import { bytesPerSecond, defaultProcessLimits } from '../../../plugins/engines/process/limits.js'
import { describe, expect, it } from 'vitest'
import {
  codec,
  createMemberBudget,
  createPublisher,
  createRequestBook,
  detached,
  type EngineRequest,
  engineOptions,
  inParts,
  integerOption,
  requestId,
  wordOption,
} from '../../../plugins/consensus/api/index.js'

const Message = codec.oneOf('type', {
  ask: { from: codec.number, isUrgent: codec.flag },
  tell: { place: codec.struct({ height: codec.bigint, id: codec.hex }), parts: codec.list(codec.bytes), requests: codec.requests },
})
const number = fc.integer({ min: 0, max: 2 ** 47 })
const bytes = fc.uint8Array({ maxLength: 20 })
const request = bytes.map((content): EngineRequest => ({ id: requestId(content), bytes: content }))
const message = fc.oneof(
  fc.record({ type: fc.constant('ask' as const), from: number, isUrgent: fc.boolean() }),
  fc.record({
    type: fc.constant('tell' as const),
    place: fc.record({ height: number.map(BigInt), id: bytes.map((content) => Buffer.from(content).toString('hex')) }),
    parts: fc.array(bytes),
    requests: fc.array(request),
  }),
)

describe('a codec', () => {
  it('reads what it wrote', () => {
    fc.assert(
      fc.property(message, (value) => {
        expect(Message.encode(Message.decode(Message.encode(value)) ?? value)).toEqual(Message.encode(value))
      }),
    )
    expect(Message.decode(Message.encode({ type: 'ask', from: 7, isUrgent: true }))).toEqual({ type: 'ask', from: 7, isUrgent: true })
  })

  it('reads nothing else, and never throws', () => {
    fc.assert(
      fc.property(message, fc.nat(), (value, cut) => {
        const whole = Message.encode(value)
        expect(Message.decode(whole.subarray(0, cut % whole.length))).toBeUndefined()
        expect(Message.decode(Buffer.concat([whole, Buffer.alloc(1)]))).toBeUndefined()
      }),
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        Message.decode(noise)
      }),
    )
    expect(Message.decode(codec.number.encode(2))).toBeUndefined()
    expect(Message.decode(undefined)).toBeUndefined()
  })

  it('refuses what its map refuses', () => {
    const even = codec.map(
      codec.number,
      (value) => (value % 2 === 0 ? { half: value / 2 } : undefined),
      ({ half }) => half * 2,
    )
    expect(even.decode(even.encode({ half: 3 }))).toEqual({ half: 3 })
    expect(even.decode(codec.number.encode(3))).toBeUndefined()
  })
})

describe('options of an engine', () => {
  it('have whole numbers for bounds, not an object of them', () => {
    expect(() => Reflect.apply(integerOption, undefined, [5, { min: 1, max: 10 }])).toThrow('found (5, {"min":1,"max":10}, 2147483647)')
  })

  const parse = engineOptions('my-engine', { size: integerOption(5, 1, 10), kind: wordOption('a', ['a', 'b']) }, ({ size, kind }) =>
    kind === 'b' && size > 5 ? 'size: expected at most 5 with kind b' : undefined,
  )

  it('have defaults', () => {
    expect([parse(), parse({ kind: 'b' })]).toEqual([
      { size: 5, kind: 'a' },
      { size: 5, kind: 'b' },
    ])
  })

  it.each([
    [{ size: 11, kind: 'c' }, 'size: expected a whole number from 1 to 10, found 11; kind: expected a or b, found "c"'],
    [{ toString: 1 }, 'toString: unknown; there are size, kind'],
    [{ size: 6, kind: 'b' }, 'size: expected at most 5 with kind b'],
    [null, 'expected an object, found null'],
  ])('are refused: %j', (raw, text) => {
    expect(() => parse(raw)).toThrow(expect.objectContaining({ code: 'ERR_MY_ENGINE_OPTIONS', message: `the options of my-engine are wrong: ${text}` }))
  })
})

describe('bookkeeping', () => {
  const book = (): ReturnType<typeof createRequestBook<string>> => createRequestBook<string>({ bytesOf: ({ length }) => length, executed: ['old'] })
  const add = (to: ReturnType<typeof book>, id: string, isOwn = false): boolean => to.add({ id, from: isOwn ? 0 : 1, isOwn, content: id })

  it('takes nothing that is executed, and knows the own ones whoever tells of them first', () => {
    const one = book()
    expect([add(one, 'old', true), add(one, 'a'), add(one, 'a', true)]).toEqual([false, true, true])
    expect([...one.own()].map(({ id, from }) => [id, from])).toEqual([['a', 1]])
  })

  it('settles a block: what was rejected may come again', () => {
    const one = book()
    for (const id of ['a', 'b', 'c']) add(one, id)
    expect(one.first(2, 100)).toEqual(['a', 'b'])
    one.settle([{ id: 'a' }, { id: 'b' }], ['b'])
    expect([add(one, 'a'), add(one, 'b'), one.size]).toEqual([false, true, 2])
  })

  it('forgets own requests after a transfer, and of others those that came, or all', () => {
    for (const [executed, left] of [
      [['b'], ['c']],
      [undefined, []],
    ] as const) {
      const one = book()
      add(one, 'a', true)
      for (const id of ['b', 'c']) add(one, id)
      one.transferred(executed)
      expect([...one.all()].map(({ id }) => id)).toEqual(left)
    }
  })

  it('cuts into parts that keep their limits, however large one item is', () => {
    const parts = (items: readonly number[]): number[][] => [...inParts(items, { maxItems: 3, maxBytes: 10, bytesOf: (item) => item })]
    expect(parts([4, 6, 1, 1, 1, 1, 99, 2])).toEqual([[4, 6], [1, 1, 1], [1], [99], [2]])
    expect(parts([])).toEqual([])
  })

  it('tells a status when a fact has changed, with each block, and at last after a second', () => {
    const told: unknown[] = []
    const host = {
      status: (view: object) => void told.push(view),
      metric: (name: string, value: number) => void told.push([name, value]),
      now: 0,
      head: { height: 1n, hash: new Uint8Array(), blob: new Uint8Array() },
    }
    const publish = createPublisher(host)
    const show = (view: number, size: number): void => publish({ facts: { view }, more: () => ({ size }), metrics: { view } })
    show(1, 1)
    show(1, 2) // not worth telling
    show(2, 3)
    expect(told.splice(0)).toEqual([{ view: 1, size: 1 }, ['view', 1], { view: 2, size: 3 }, ['view', 2]])
    host.head = { ...host.head, height: 2n }
    show(2, 4) // a block
    show(2, 5)
    host.now = 999
    show(2, 6)
    host.now = 1000
    show(2, 7) // a second
    show(2, 8)
    expect(told).toEqual([{ view: 2, size: 4 }, ['view', 2], { view: 2, size: 7 }, ['view', 2]])
  })
})

describe('a member budget', () => {
  it('grants what a member may need at once, then by and by; each member has its own', () => {
    const host = { now: 1000 }
    const budget = createMemberBudget(host, { burstBytes: 100, bytesPerSecond: 50 })
    expect([60, 60, 1].map((bytes) => budget.take(1, bytes))).toEqual([true, true, false])
    expect(budget.take(2, 1_000_000)).toBe(true)
    host.now += 399
    expect(budget.take(1, 1)).toBe(false)
    host.now += 2
    expect([budget.take(1, 1), budget.take(1, 1)]).toEqual([true, false])
    expect(budget.take(2, 1)).toBe(false)
  })

  it.each([4, 16, 31, 100])(
    'keeps an engine within what its process may say in a second, although all of %i members ask for as much as they get',
    (members) => {
      const host = { now: 0 }
      const budget = createMemberBudget(host)
      const answer = 8 * 1024 * 1024
      let said = 0
      for (; host.now < 1000; host.now += 10) for (let member = 1; member < members; member++) while (budget.take(member, answer)) said += answer
      expect(said).toBeLessThan(bytesPerSecond(defaultProcessLimits, members))
    },
  )

  it('never grants more than its rate and its burst, whatever the clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: -500, max: 2000 }), fc.nat(80))), (asks) => {
        const host = { now: 0 }
        const budget = createMemberBudget(host, { burstBytes: 100, bytesPerSecond: 50 })
        let [granted, passedMs] = [0, 0]
        for (const [ms, bytes] of asks) {
          host.now += ms
          passedMs += Math.max(0, ms)
          if (budget.take(0, bytes)) granted += bytes
        }
        expect(granted).toBeLessThanOrEqual(100 + 80 + (passedMs * 50) / 1000 + 1e-6)
      }),
    )
  })
})

describe('detached bytes', () => {
  it('stay the same, and hold no more memory than 8 KiB or twice their own', () => {
    const views = fc.array(fc.tuple(fc.integer({ min: 0, max: 40_000 }), fc.nat(12_000)))
    fc.assert(
      fc.property(views, (places) => {
        const frame = Uint8Array.from({ length: 52_000 }, (_, at) => at * 7)
        const kept = places.map(([from, length]) => detached(frame.subarray(from, from + length)))
        for (const [index, [from, length]] of places.entries()) {
          const bytes = kept[index] ?? frame
          expect(Buffer.compare(bytes, frame.subarray(from, from + length))).toBe(0)
          expect(bytes.buffer.byteLength).toBeLessThanOrEqual(Math.max(2 * length, 8192))
        }
      }),
    )
  })
})
