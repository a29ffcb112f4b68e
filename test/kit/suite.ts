import { existsSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EngineFactory } from '../../plugins/consensus/index.js'
import { type FailedSeed, keepFailure, runCampaign } from './campaign.js'
import { playComebacks } from './comebacks.js'
import { type FaultKind, faultKinds } from './faults.js'
import { checkDispose, checkFactory, checkHostileBytes, checkOptions, checkReplay, checkSameRun, checkSwaps, hasSteadyDeliveries } from './conformance.js'
import type { PlanOptions } from './plan.js'
import type { PlayedEngine } from './play.js'
import { type TestRunner, testRunner } from './runner-functions.js'

/** What the conformance suite is told of an engine. All optional. */
export interface EngineSuiteOptions extends Partial<TestRunner> {
  /** As a site writes them. Short time-outs make the suite fast, and let more happen in each run. */
  readonly options?: unknown
  /** More options, each as a site writes them: seed by seed they take turns with `options`. Short and long time-outs bring different faults to light. */
  readonly variants?: readonly unknown[]
  /** Where `peer sim` finds the engine, for replays: a name, a package or an absolute path. Default: the package of the working directory, if it is one for Weft. */
  readonly source?: string
  /** Numbers of validators to test. Default 4 and 7 for engines that bear a Byzantine member among four, else 3 and 5; 1 for engines without agreement. */
  readonly members?: readonly number[]
  /** Seeds of each test. Default 20, or the environment variable WEFT_KIT_SEEDS. */
  readonly seeds?: number
  readonly firstSeed?: number
  /** Virtual time that everything may take after the last fault. Default 60 s. */
  readonly patienceMs?: number
  /** Requests of each run. Default 12. */
  readonly requests?: number
  /** Directory for failing scenarios and their diagrams. Default: `weft-testkit` in the directory for temporary files, or WEFT_KIT_OUT. */
  readonly directory?: string
}

const SEEDS = 20
/** In real time, on a busy machine: of a test, and of each seed in one. */
const TIMEOUT_MS = 600_000
const SEED_TIMEOUT_MS = 30_000
/** So many times the seeds for faults that stack: what they show needs several things to meet, and nothing else shows it. */
const STACKED = 5
/** Comebacks are played with each of several networks, so fewer seeds are as much. */
const COMEBACKS = 1 / 4

/**
 * The conformance suite: everything that the contract of engines asks, and everything that `tolerates()` of this one promises. Call it at the top of a test file.
 *
 * @example
 * import { engineSuite } from 'weft/testkit'
 * import { raft } from './raft.js'
 *
 * engineSuite(raft, { options: { electionMs: 200 } })
 */
export function engineSuite(factory: EngineFactory, suite: EngineSuiteOptions = {}): void {
  const { describe, test } = testRunner(suite)
  const checks = new Checks(factory, suite)
  const timeout = Math.max(TIMEOUT_MS, checks.seeds * STACKED * SEED_TIMEOUT_MS)
  const each = (name: string, run: () => Promise<void> | void): void => void test(name, { timeout }, async () => run())
  describe(`engine ${factory.name} ${factory.version}`, () => {
    describe('as a factory', () => {
      each('names itself and promises what can be', () => checkFactory(factory))
      each('reads its options, and refuses others with an error that has a code', () => {
        for (const options of [suite.options, ...(suite.variants ?? [])]) checkOptions(factory, options)
      })
    })
    describe('as a state machine', () => {
      const members = checks.sizes[0] ?? 1
      each('gives the same effects for the same events', () => checkReplay(factory, suite.options, members, checks.seeds))
      each('gives the same run for the same seed, byte for byte', () => checkSameRun(factory, suite.options, members, checks.seeds))
      each('survives hostile bytes: it never throws, halts or promises', () => checkHostileBytes(factory, suite.options, members, checks.seeds))
      each('is disposed of without asking for anything', () => checkDispose(factory, suite.options, members))
    })
    describe('with one validator', () => {
      each('orders everything through kills, power cuts and slow disks', () => checks.run(1, faultKinds('inside')))
      each('does so on the real ledger', () => checks.run(1, faultKinds('inside'), { fidelity: 'full' }))
    })
    for (const members of factory.agreement ? checks.sizes : []) {
      describe(`with ${members} validators`, () => {
        defineAgreement(each, checks, members)
      })
    }
  })
}

function defineAgreement(each: (name: string, run: () => Promise<void> | void) => void, checks: Checks, members: number): void {
  const { crashed, byzantine } = checks.factory.tolerates(members)
  each('orders everything once when nothing fails', () => checks.run(members, [], { repetitions: 'executed' }))
  each('keeps committing one request at a time', () => hasSteadyDeliveries(checks.factory, checks.suite.options, members))
  each('is swapped in under load, three times', () => checkSwaps(checks.factory, checks.suite.options, members, checks.seeds))
  each('survives kills, power cuts, stops and blackouts', () => checks.run(members, ['kill', 'power', 'stop', 'blackout']))
  each('survives broken links, partitions and delays', () => checks.run(members, ['break', 'partition', 'delay']))
  each('survives slow disks, slow chaincode and jumping clocks', () => checks.run(members, ['slow-disk', 'slow-execution', 'clock', 'power']))
  each('survives all of them together', () =>
    checks.run(
      members,
      faultKinds('inside').filter((kind) => kind !== 'dead'),
    ),
  )
  each('lets who was left behind catch up', () => checks.run(members, ['partition', 'power', 'kill'], { requests: 120, durationMs: 8000 }))
  each('does so on the real ledger', () => checks.run(members, faultKinds('inside'), { fidelity: 'full' }))
  if (crashed > 0)
    each('survives faults that stack: who has just caught up has to help the next', () =>
      checks.run(members, [], { aftershocks: 1, slowAftershocks: 0.5, requests: 30 }, STACKED),
    )
  if (crashed > 0) each('takes back who was away: it is needed when all is quiet again', () => checks.comebacks(members))
  if (crashed > 0) each(`goes on without ${crashed} of them`, () => checks.run(members, ['dead', 'dead', 'power', 'partition', 'slow-disk']))
  if (byzantine > 0) {
    each(`bears ${byzantine} that run twice`, () => checks.run(members, ['twins', 'twins', 'partition', 'delay']))
    each(`bears ${byzantine} that send nonsense`, () => checks.run(members, ['mutate', 'mutate', 'break', 'power']))
    each('bears all of it, with real signatures', () => checks.run(members, faultKinds('inside', 'byzantine'), { signatures: 'p256' }))
  }
  each('stays safe when links break their promises', () => checks.run(members, faultKinds('outside'), { expect: 'safety' }))
}

class Checks {
  readonly sizes: readonly number[]
  readonly seeds: number
  readonly source: string | undefined

  constructor(
    readonly factory: EngineFactory,
    readonly suite: EngineSuiteOptions,
  ) {
    this.seeds = suite.seeds ?? Number(process.env['WEFT_KIT_SEEDS'] ?? SEEDS)
    this.source = suite.source ?? packageHere()
    this.sizes = suite.members ?? (factory.agreement ? (factory.tolerates(4).byzantine > 0 ? [4, 7] : [3, 5]) : [1])
  }

  async run(members: number, faults: readonly FaultKind[], more: Partial<PlanOptions> = {}, times = 1): Promise<void> {
    const { suite, factory } = this
    const { patienceMs, requests, firstSeed = 1, variants = [] } = suite
    const plan = { members, tolerates: factory.tolerates(members), faults, ...(patienceMs ? { patienceMs } : {}), ...(requests ? { requests } : {}), ...more }
    const options = [suite.options, ...variants]
    const seeds = times * this.seeds
    for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1) {
      const engine = this.#played(options[(seed - firstSeed) % options.length])
      const { failures } = await runCampaign({ engine, plan, firstSeed: seed, seeds: 1 })
      for (const failed of failures) await this.#tell(engine, members, failed)
    }
  }

  async comebacks(members: number): Promise<void> {
    const engine = this.#played(this.suite.options)
    const [failed] = await playComebacks({ engine, members, firstSeed: this.suite.firstSeed ?? 1, seeds: Math.ceil(this.seeds * COMEBACKS) })
    // A smaller scenario would be slow for another reason.
    if (failed) await this.#tell(engine, members, failed, 0)
  }

  #played(options: unknown): PlayedEngine {
    const { source } = this
    return { factory: this.factory, options, ...(source === undefined ? {} : { source }) }
  }

  /** Throws, when it has been written down. */
  async #tell(engine: PlayedEngine, members: number, failed: FailedSeed, maxRuns?: number): Promise<never> {
    const directory = this.suite.directory ?? process.env['WEFT_KIT_OUT'] ?? join(tmpdir(), 'weft-testkit')
    const name = `${this.factory.name}-${members}-${failed.failure.kind}-seed-${failed.seed}`
    const files = await keepFailure(engine, failed, { directory, name, ...(maxRuns === undefined ? {} : { maxRuns }) })
    throw new Error(
      `seed ${failed.seed} of ${members} validators: ${failed.failure.kind}: ${failed.failure.statement}\n  smallest scenario: ${files.scenarioFile}\n  drawn: ${files.diagramFile}\n  again: ${files.replay}`,
      {
        cause: failed.failure,
      },
    )
  }
}

/** The directory that the tests run in, if it is that of a package for Weft. */
function packageHere(): string | undefined {
  const file = join(process.cwd(), 'package.json')
  if (!existsSync(file)) return undefined
  const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'))
  const peers: unknown = typeof manifest === 'object' && manifest !== null ? Reflect.get(manifest, 'peerDependencies') : undefined
  return typeof peers === 'object' && peers !== null && 'weft' in peers ? process.cwd() : undefined
}
