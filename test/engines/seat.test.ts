import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PeerError } from '../../kernel/index.js'
import { type Effect, type EngineEvent, type EngineFactory, type SeatMaker, shake256 } from '../../plugins/consensus/index.js'
import { inProcess } from '../../plugins/consensus/session/runner.js'
import { engineFactory } from '../../plugins/engines/factory.js'
import { headAt, isolated, packageFolder, requestOf, startAt, witness } from './kit.js'

const EVENTS: readonly EngineEvent[] = [
  { type: 'peer', member: 1, up: true },
  { type: 'request', request: requestOf('one') },
  { type: 'message', from: 2, bytes: new Uint8Array([0, 1, 2, 255]) },
  { type: 'message', from: 1, bytes: new Uint8Array(0) },
  { type: 'timer', name: 'tick', generation: 1 },
  { type: 'timer', name: 'gone', generation: 2 },
  { type: 'executed', tag: 'e', stateHash: undefined, outcomes: [{ id: requestOf('one').id, succeeded: false }] },
  {
    type: 'delivered',
    tag: 'd0',
    block: { number: 7n, hash: new Uint8Array([1]), stateHash: undefined, head: headAt(8n), rejected: [requestOf('one').id] },
  },
  { type: 'delivered', tag: 'd1', block: 'skipped' },
  { type: 'transferred', result: { reached: true, head: headAt(20n), metadata: undefined, executed: ['ab'] } },
  { type: 'transferred', result: { reached: false, reason: 'nobody \ud800 answers' } },
  { type: 'signed', token: 'tick', signature: new Uint8Array([4, 5]) },
  { type: 'verified', token: 'v', verdicts: [false, true] },
  { type: 'verified', token: 'v', verdicts: [true] },
  { type: 'sealed', height: 30n },
  { type: 'delivered', tag: 'd2', block: 'skipped' },
]

/** All effects, handler by handler, without handlers that asked for nothing. */
async function run(maker: SeatMaker, events: readonly EngineEvent[]): Promise<unknown[][]> {
  let now = 1000
  const seen = witness(() => now++)
  const seat = maker({ ...seen.options, claimTimer: (name) => name !== 'gone' })
  seat.begin(startAt(5n, new Map([['kept', new Uint8Array([1, 2])]])))
  for (const event of events) seat.post(event)
  const isLast = ({ type, ...rest }: Effect): boolean => type === 'log' && JSON.stringify(rest).includes('d2 skipped')
  await seen.until(() => seen.faults.length > 0 || seen.carried.some((effects) => effects.some(isLast)))
  await seat.dispose()
  expect(seen.faults).toEqual([])
  expect(seen.losses).toEqual([])
  return seen.carried.filter((effects) => effects.length > 0).map((effects) => effects.map(plain))
}

/** What a pipe does not carry: whether bytes are a Buffer, and members of a status that are undefined. */
function plain(effect: Effect): unknown {
  const bytes = (value: unknown): unknown => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
    if (Array.isArray(value)) return value.map(bytes)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, bytes(part)]))
  }
  return effect.type === 'status' ? JSON.parse(JSON.stringify(effect)) : bytes(effect)
}

async function echo(): Promise<EngineFactory> {
  const file = join(packageFolder('echo'), 'echo.js')
  const module: { echo: (weft: object) => unknown } = await import(file)
  return engineFactory(module.echo({ PeerError, shake256 }))
}

describe('an engine in a process of its own', () => {
  it('asks for the same effects as in the peer, for the same events', async () => {
    const factory = await echo()
    const here = await run(inProcess(factory, factory.parseOptions({ greeting: 'hi' })), EVENTS)
    const there = await run(await isolated('echo', { greeting: 'hi' }), EVENTS)
    expect(here.length).toBeGreaterThan(EVENTS.length - 3)
    expect(there).toEqual(here)
  })

  it('is told everything in order, more than there is credit for at a time', async () => {
    const seen = witness()
    const seat = (await isolated('echo', {}))(seen.options)
    seat.begin(startAt(0n))
    const count = 2000
    for (let index = 0; index < count; index++) seat.post({ type: 'request', request: requestOf(`request ${index}`) })
    expect(seat.isCongested).toBe(true)
    await seen.until(() => seen.carried.length > count)
    const tags = seen.carried.flat().flatMap((effect) => (effect.type === 'deliver' ? [effect.tag] : []))
    expect(tags).toEqual(Array.from({ length: count }, (_, index) => `d${index}`))
    expect(seat.isCongested).toBe(false)
    await seat.dispose()
  })
})
