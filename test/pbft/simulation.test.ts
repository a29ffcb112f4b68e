import { describe, expect, it } from 'vitest'
import type { EngineFactory } from '../../plugins/consensus/index.js'
import { parsePbftOptions, pbft, type PbftOptions } from '../../plugins/pbft/index.js'
import { type LogicalLedger, makeTransaction, openLogicalLedger, Simulation, type SimulationOptions } from '../kit/index.js'
import { copyChain, runScenario, type Scenario } from '../simulator/scenario.js'
import { babble, equivocate, hurry, type Lie, withLiar, withLoss } from './kit/byzantine.js'

/** Seeds of each kind; a long run: `WEFT_PBFT_SEEDS=2000 npx vitest run --config .ci/vitest.config.ts test/pbft/simulation`. */
const SEEDS = Number(process.env['WEFT_PBFT_SEEDS'] ?? 8)
const FIRST = Number(process.env['WEFT_PBFT_SEED'] ?? 1)
const TIMEOUT_MS = 3_600_000

/** Short times, so that a run has many view changes; small windows, so that it has many checkpoints. */
const quick = {
  'timeout.batch': '100ms',
  'timeout.request': '400ms',
  'timeout.viewchange': '400ms',
  'timeout.resendviewchange': '400ms',
  K: 2,
  logmultiplier: 4,
}

const withOptions = (options: Record<string, unknown>, factory: EngineFactory<PbftOptions> = pbft): EngineFactory<PbftOptions> => ({
  ...factory,
  parseOptions: () => parsePbftOptions({ ...quick, ...options }),
})

async function everySeed(run: (seed: number) => Promise<unknown>): Promise<void> {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
    try {
      await run(seed)
    } catch (cause) {
      throw new Error(`seed ${seed} (WEFT_PBFT_SEED=${seed} WEFT_PBFT_SEEDS=1)`, { cause })
    }
  }
}

const scenario = (seed: number, changes: Partial<Scenario> = {}): Scenario => ({
  seed,
  members: 4,
  transactions: 12,
  crashes: 2,
  breaks: seed % 2 === 0,
  blackout: seed % 3 === 0,
  patienceMs: 30_000,
  ...changes,
})

/** A run in which something was ordered, and no engine gave up. */
async function survive(factory: EngineFactory<PbftOptions>, how: Scenario): Promise<void> {
  const { invariants, peers } = await runScenario(factory, how)
  // A single validator may be down whenever a client comes.
  if (how.members > 1) expect(invariants.acceptedCount).toBeGreaterThan(0)
  if (how.members > 1) expect(invariants.heightOf(0)).toBeGreaterThan(1)
  expect(peers.map(({ host }) => host?.status().halted)).toEqual(peers.map(() => undefined))
}

async function startSimulation(
  seed: number,
  factory: EngineFactory<PbftOptions>,
  options: Partial<SimulationOptions<LogicalLedger>> = {},
): Promise<Simulation<LogicalLedger>> {
  const simulation = new Simulation<LogicalLedger>({ seed, members: 4, engine: { factory }, openLedger: openLogicalLedger, transfer: copyChain, ...options })
  await simulation.start()
  return simulation
}

/** Submits transactions at these members, one after the other every few milliseconds. */
function load(simulation: Simulation<LogicalLedger>, members: readonly number[], count: number, everyMs = 20, prefix = 't'): void {
  for (let number = 0; number < count; number += 1) {
    simulation.time.schedule(number * everyMs, () => simulation.peer(members[number % members.length] ?? 0).submit(makeTransaction(`${prefix}${number}`)))
  }
}

async function untilAllHave(simulation: Simulation<LogicalLedger>, members: readonly number[], count: number, limitMs = 30_000): Promise<void> {
  const { invariants } = simulation
  await simulation.runUntil(
    `all of ${members.join(', ')} have ${count}`,
    () => invariants.acceptedCount >= count && invariants.missing([...members]).length === 0,
    limitMs,
  )
  await simulation.checkAll()
}

const viewOf = (simulation: Simulation<LogicalLedger>, member: number): unknown => simulation.peer(member).host?.status().engineView['view']

describe('PBFT in simulation', () => {
  it.each([
    ['four validators with small windows', {}, {}],
    ['four validators with the smallest window', { logmultiplier: 2 }, {}],
    ['four validators with v0.6 windows', { K: 10 }, {}],
    ['fixed batching and batches of one', { batching: 'fixed', batchsize: 1 }, {}],
    ['null requests', { 'timeout.nullrequest': '300ms' }, {}],
    ['a primary that changes every period', { viewchangeperiod: 1, logmultiplier: 8 }, {}],
    ['five validators, whose quorums are uneven', {}, { members: 5 }],
    ['seven validators', {}, { members: 7, crashes: 3 }],
    ['a single validator', {}, { members: 1 }],
  ] as const)(
    'survives crashes, power cuts and broken links: %s',
    async (_name, options, changes) => everySeed((seed) => survive(withOptions(options), scenario(seed, changes))),
    TIMEOUT_MS,
  )

  it(
    'sixteen validators survive them too',
    async () => {
      for (let seed = FIRST; seed < FIRST + Math.max(1, SEEDS / 6); seed += 1)
        await survive(withOptions({}), scenario(seed, { members: 16, crashes: 4, blackout: false }))
    },
    TIMEOUT_MS,
  )

  it(
    'commits soon after an announcement while it is idle, in the first view',
    async () =>
      everySeed(async (seed) => {
        const simulation = await startSimulation(seed, pbft)
        load(simulation, [0, 1, 2, 3], 5, 500)
        await untilAllHave(simulation, [0, 1, 2, 3], 5, 2500)
        expect(viewOf(simulation, 0)).toBe(0)
      }),
    TIMEOUT_MS,
  )

  it(
    'goes on without its primary, which rejoins when it comes back hundreds of blocks later',
    async () =>
      everySeed(async (seed) => {
        const simulation = await startSimulation(seed, withOptions({ batchsize: 1 }))
        load(simulation, [1, 2, 3], 150, 10)
        simulation.time.schedule(100, () => simulation.peer(0).crash('power'))
        await simulation.run(1500)
        await untilAllHave(simulation, [1, 2, 3], 150)
        expect(Number(viewOf(simulation, 1))).toBeGreaterThan(0)
        simulation.peer(0).start()
        await untilAllHave(simulation, [0, 1, 2, 3], 150, 5000)
        // It votes again: with another one gone there is a quorum.
        simulation.peer(3).crash('kill')
        load(simulation, [0, 1, 2], 20, 10, 'more')
        await simulation.run(400)
        await untilAllHave(simulation, [0, 1, 2], 170)
      }),
    TIMEOUT_MS,
  )

  it(
    'a backup that was cut off is in step again without a view change, also on an idle network',
    async () =>
      everySeed(async (seed) => {
        const simulation = await startSimulation(seed, withOptions({ K: 10, batchsize: 1 }))
        simulation.links.partition([[0, 1, 2], [3]])
        load(simulation, [0, 1, 2], 3 + (seed % 40), 10)
        await simulation.run(1000)
        simulation.links.heal()
        await untilAllHave(simulation, [0, 1, 2, 3], 3 + (seed % 40), 5000)
        expect(viewOf(simulation, 0)).toBe(0)
        expect(simulation.peer(3).host?.status().engineView['active']).toBe(true)
      }),
    TIMEOUT_MS,
  )

  it(
    'a backup that lost its disk takes part again on an idle network in a later view, however long the transfer takes',
    async () =>
      everySeed(async (seed) => {
        const transferMs = (seed % 4) * 4000
        const transfer: typeof copyChain = async (...how) => {
          await new Promise<void>((resolve) => simulation.time.schedule(transferMs, resolve))
          return copyChain(...how)
        }
        // Who forgets what it said is no honest member.
        const simulation = await startSimulation(seed, withOptions({ K: 10, batchsize: 1 }), { transfer, byzantine: [3] })
        load(simulation, [0, 1, 2], 3)
        await untilAllHave(simulation, [0, 1, 2], 3)
        simulation.peer(0).crash('kill')
        load(simulation, [1, 2], 1, 10, 'later')
        await untilAllHave(simulation, [1, 2], 4)
        simulation.peer(0).start()
        await untilAllHave(simulation, [0, 1, 2], 4)
        simulation.peer(3).crash('kill')
        simulation.peer(3).disk.wipe()
        load(simulation, [0, 1, 2], 15 + (seed % 40), 10, 'more')
        await untilAllHave(simulation, [0, 1, 2], 19 + (seed % 40))
        simulation.peer(3).start()
        await simulation.run(2 * transferMs + 5000)
        expect(simulation.peer(3).host?.status()).toMatchObject({ height: simulation.peer(1).host?.status().height, engineView: { active: true } })
        // With another one gone its vote is needed, in the view that the others are in.
        simulation.peer(2).crash('kill')
        load(simulation, [0, 1], 5, 10, 'last')
        await untilAllHave(simulation, [0, 1], 24 + (seed % 40))
        expect([0, 1, 3].map((member) => viewOf(simulation, member))).toEqual([1, 1, 1])
      }),
    TIMEOUT_MS,
  )

  it(
    'goes on where votes are too few to tell what was decided, and states are equal',
    async () =>
      everySeed(async (seed) => {
        // Who forgets what it said is no honest member.
        const simulation = await startSimulation(seed, withOptions({ K: 10, batchsize: 1 }), { byzantine: [3] })
        simulation.peer(0).crash('kill')
        load(simulation, [1, 2], 4)
        await untilAllHave(simulation, [1, 2], 4)
        // It executes what the others decided, and votes for none of it.
        simulation.peer(0).start()
        await untilAllHave(simulation, [0, 1, 2], 4)
        simulation.peer(3).crash('kill')
        simulation.peer(3).disk.wipe()
        simulation.peer(3).start()
        await simulation.run(5000)
        expect(simulation.peer(3).host?.status().height).toBe(simulation.peer(1).host?.status().height)
        // All of it within one checkpoint period: of those who are left one alone has votes.
        simulation.peer(Number(viewOf(simulation, 2)) % 4).crash('kill')
        load(simulation, [0, 2], 5, 10, 'last')
        await untilAllHave(simulation, [0, 2], 9)
      }),
    TIMEOUT_MS,
  )

  it(
    'orders nothing without a quorum, and goes on when there is one again',
    async () =>
      everySeed(async (seed) => {
        const simulation = await startSimulation(seed, withOptions({}))
        simulation.links.partition([
          [0, 1],
          [2, 3],
        ])
        load(simulation, [0, 1, 2, 3], 12)
        await simulation.run(3000)
        expect([0, 1, 2, 3].map((member) => simulation.invariants.heightOf(member))).toEqual([1, 1, 1, 1])
        simulation.links.heal()
        await untilAllHave(simulation, [0, 1, 2, 3], 12)
      }),
    TIMEOUT_MS,
  )

  it(
    'goes on although one message in ten is lost without anybody noticing',
    async () =>
      everySeed(async (seed) => {
        const simulation = await startSimulation(seed, withOptions({}, withLoss(0.1)))
        load(simulation, [0, 1, 2, 3], 15)
        await simulation.run(400)
        await untilAllHave(simulation, [0, 1, 2, 3], 15)
      }),
    TIMEOUT_MS,
  )

  it.each<readonly [string, Lie]>([
    ['a primary that proposes different batches to different members', equivocate],
    ['a member that says wrong digests, checkpoints and sets', babble],
    ['a member that hurries to far views', hurry],
  ])(
    'the honest agree and go on in spite of %s',
    async (_name, lie) =>
      everySeed(async (seed) => {
        const honest = [1, 2, 3]
        const simulation = await startSimulation(seed, withOptions({}, withLiar(0, lie)))
        load(simulation, honest, 15)
        await simulation.run(400)
        await untilAllHave(simulation, honest, 15)
      }),
    TIMEOUT_MS,
  )

  it(
    'a primary that leaves out a number is left within a few time-outs, however steady the stream is that it orders beyond',
    async () =>
      everySeed(async (seed) => {
        const skip: Lie = (message) => {
          if (message.$case !== 'prePrepare' && message.$case !== 'prepare' && message.$case !== 'commit') return message
          const { view, sequenceNumber: n } = message.value
          const shifted = { sequenceNumber: view === 0 && n > 5 ? n + 1 : n }
          return message.$case === 'prePrepare'
            ? { ...message, value: { ...message.value, ...shifted } }
            : { ...message, value: { ...message.value, ...shifted } }
        }
        const honest = [1, 2, 3]
        const simulation = await startSimulation(seed, withOptions({ K: 10, batching: 'fixed', batchsize: 1 }, withLiar(0, skip)))
        load(simulation, honest, 30, 200)
        // The sixth comes after a second; requests may take 400 ms, and who may be behind himself waits thrice that.
        await simulation.run(3000)
        expect(honest.map((member) => Number(viewOf(simulation, member)) > 0)).toEqual([true, true, true])
        await simulation.run(4000)
        await untilAllHave(simulation, honest, 30)
      }),
    TIMEOUT_MS,
  )

  it('gives the same run for the same seed, byte for byte', async () => {
    const [first, second] = [await runScenario(withOptions({}), scenario(7, { trace: true })), await runScenario(withOptions({}), scenario(7, { trace: true }))]
    expect(first.trace.lines.length).toBeGreaterThan(400)
    expect(second.trace.lines).toEqual(first.trace.lines)
  })
})
