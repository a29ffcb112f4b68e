import type { Logger } from '../../kernel/index.js'
import type { EngineFactory, MemberIndex } from '../../plugins/consensus/index.js'
import type { Ledger } from '../../plugins/ledger/index.js'
import { SimulationFailure } from './failures.js'
import { FaultRunner } from './fault-runner.js'
import { byzantineOf, deadOf, type Fault, wipedOf } from './faults.js'
import { createP256Signers } from './p256-signer.js'
import type { Scenario, ScenarioRequest } from './scenario.js'
import { Simulation } from './simulation.js'
import type { SwapCounts } from './succession-model.js'
import type { Trace } from './trace.js'
import { makeTransaction } from './transactions.js'
import { type LedgerWorld, logicalWorld, realWorld } from './worlds.js'

/** The engine of a run. Options are raw, as a site writes them. */
export interface PlayedEngine {
  readonly factory: EngineFactory
  readonly options?: unknown
  /** Where it is, as `peer sim` takes it: a name, a package, or an absolute path. Kept with scenarios that fail. */
  readonly source?: string
  /** Engines that operators of a scenario may swap to, beside this one. */
  readonly successors?: readonly { readonly factory: EngineFactory; readonly options?: unknown; readonly source?: string }[]
}

/** What is kept and said of a run. */
export interface PlayOptions {
  /** Keep what happened, for diagrams. Default false. */
  readonly trace?: boolean
  readonly log?: Logger
}

/** How a run ended. */
export interface Played {
  /** Undefined: everything held. */
  readonly failure: SimulationFailure | undefined
  readonly trace: Trace
  /** Virtual milliseconds, virtual events, and the blocks of the longest honest chain. */
  readonly virtualMs: number
  readonly steps: number
  readonly blocks: number
  readonly accepted: number
  /** Of the engine. */
  readonly swaps: SwapCounts
}

const LONGEST_START_MS = 30_000

/**
 * Plays a scenario: load while faults happen, then everything is mended and one more request is made at each member; every request that an honest, living
 * member accepted has to get into every such member's chain. Rejects only if the kit itself fails, or the engine refuses its options.
 */
export function playScenario(engine: PlayedEngine, scenario: Scenario, options: PlayOptions = {}): Promise<Played> {
  engine.factory.parseOptions(engine.options)
  return scenario.ledger === 'real' ? new Play(engine, scenario, options, realWorld).run() : new Play(engine, scenario, options, logicalWorld).run()
}

class Play<L extends Ledger> {
  readonly #simulation: Simulation<L>
  /** Honest members that come back. */
  readonly #live: readonly MemberIndex[]
  /** They, and those that come back without their disk. */
  readonly #present: readonly MemberIndex[]

  constructor(
    private readonly engine: PlayedEngine,
    private readonly scenario: Scenario,
    { trace = false, log }: PlayOptions,
    world: LedgerWorld<L>,
  ) {
    const { seed, members, faults, delayMs, diskMs, signatures, repetitions, hosts, toldRequests } = scenario
    const byzantine = byzantineOf(faults)
    const gone = new Set([...byzantine, ...deadOf(faults)])
    this.#live = Array.from({ length: members }, (_, index) => index).filter((index) => !gone.has(index))
    const dead = deadOf(faults)
    this.#present = [...this.#live, ...wipedOf(faults).filter((member) => !dead.includes(member))].sort((a, b) => a - b)
    this.#simulation = new Simulation<L>({
      seed,
      members,
      engine: this.engine,
      successors: (engine.successors ?? []).map(({ factory, options = {} }) => ({ factory, options })),
      ...world,
      links: { minDelayMs: delayMs[0], maxDelayMs: delayMs[1] },
      disk: { minWriteMs: diskMs[0], maxWriteMs: diskMs[1] },
      byzantine,
      twins: twinsOf(faults),
      hostsTalk: hosts !== 'silent',
      executesRepetitions: repetitions === 'executed',
      ...(toldRequests === undefined ? {} : { limits: { maxToldRequests: toldRequests } }),
      ...(signatures === 'p256' ? { signer: createP256Signers() } : {}),
      trace,
      ...(log ? { log } : {}),
    })
  }

  async run(): Promise<Played> {
    const { invariants, time, trace } = this.#simulation
    const failure = await this.#play().catch((error: unknown) => {
      if (error instanceof SimulationFailure) return error
      throw error
    })
    return {
      failure,
      trace,
      virtualMs: time.nowMs,
      steps: this.#simulation.steps,
      blocks: Math.max(...this.#live.map((member) => invariants.heightOf(member))),
      accepted: invariants.acceptedCount,
      swaps: invariants.swaps,
    }
  }

  async #play(): Promise<undefined> {
    const { scenario } = this
    const simulation = this.#simulation
    await simulation.start(LONGEST_START_MS)
    const faults = new FaultRunner(simulation, scenario.faults)
    faults.schedule()
    for (const request of scenario.requests) simulation.time.schedule(request.atMs, () => this.#submit(request))
    await simulation.run(scenario.durationMs)
    faults.end()
    await simulation.runUntil('all members run again', () => this.#present.every((member) => simulation.peer(member).host !== undefined), LONGEST_START_MS)
    if (scenario.expect === 'progress') await this.#settle()
    await simulation.checkAll()
  }

  async #settle(): Promise<void> {
    const { scenario } = this
    const simulation = this.#simulation
    for (const member of this.#live) simulation.peer(member).submit(makeTransaction(`last of vp${member}`))
    await simulation.runUntil('every accepted transaction is in every chain and nobody waits', this.#isOver(), scenario.patienceMs)
    if (this.engine.successors)
      await simulation.runUntil('everybody is in one epoch at one height, and no swap is under way', () => this.#isAlike(), scenario.patienceMs)
  }

  /** What operators began is over, and nobody is left behind; nobody helps with an earlier epoch any more. */
  #isAlike(): boolean {
    const { peers } = this.#simulation
    const states = this.#present.map((member) => {
      const { host } = peers[member] ?? {}
      const { epoch, height, halted } = host?.status() ?? {}
      const view = host?.swaps.view()
      return halted === undefined && view && !view.candidate && !view.isSealing ? `${epoch} ${height}` : undefined
    })
    return states[0] !== undefined && new Set(states).size === 1
  }

  #isOver(): () => boolean {
    const { invariants, peers } = this.#simulation
    let seen = -1
    let isMissing = true
    return () => {
      if (seen !== invariants.changes) {
        seen = invariants.changes
        isMissing = invariants.missing(this.#live, this.#live).length > 0
      }
      return !isMissing && this.#live.every((member) => peers[member]?.host?.status().pendingRequests === 0)
    }
  }

  /** The member that is asked, or else the next honest one that is there. */
  #submit({ member, name, fails = false }: ScenarioRequest): void {
    const { members } = this.scenario
    const { peers, invariants } = this.#simulation
    for (let step = 0; step < members; step += 1) {
      const peer = peers[(member + step) % members]
      if (peer && invariants.isHonest(peer.member.index) && peer.submit(makeTransaction(name, { fails }))) return
    }
  }
}

function twinsOf(faults: readonly Fault[]): MemberIndex[] {
  return [...new Set(faults.flatMap((fault) => (fault.kind === 'twins' ? [fault.member] : [])))].sort((a, b) => a - b)
}
