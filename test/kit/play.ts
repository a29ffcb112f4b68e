import { type Logger, PeerError } from '../../kernel/index.js'
import type { EngineFactory, MemberIndex } from '../../plugins/consensus/index.js'
import type { Ledger } from '../../plugins/ledger/index.js'
import { returning } from './endless.js'
import { SimulationFailure } from './failures.js'
import { FaultRunner } from './fault-runner.js'
import { byzantineOf, deadOf, type Fault, FAULT_CLASSES, wipedOf } from './faults.js'
import { ModelWorld } from './model-world.js'
import { createP256Keys, createP256Signers } from './p256-signer.js'
import type { Scenario, ScenarioRequest } from './scenario.js'
import { Simulation } from './simulation.js'
import { Operators, type SwapFault } from './swap-faults.js'
import type { SwapCounts } from './succession-model.js'
import type { Trace } from './trace.js'
import { makeTransaction } from './transactions.js'
import type { ScenarioWorld } from './world-of-faults.js'
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
  /** Of these, the ones that had to be in the chain behind the one that the same door had accepted before. */
  readonly ordered: number
  /** Of the engine. */
  readonly swaps: SwapCounts
}

const LONGEST_START_MS = 30_000

/**
 * Plays a scenario: load while faults happen, then everything is mended and one more request is made at each member; every request that an honest, living
 * member accepted has to get into every such member's chain. Rejects only if the kit itself fails, or the engine refuses its options.
 */
export async function playScenario(engine: PlayedEngine, scenario: Scenario, options: PlayOptions = {}): Promise<Played> {
  engine.factory.parseOptions(engine.options)
  const { successors } = engine
  const played = {
    ...engine,
    factory: returning(engine.factory, scenario),
    ...(successors ? { successors: successors.map((successor) => ({ ...successor, factory: returning(successor.factory, scenario) })) } : {}),
  }
  return new Play(played, scenario, makeWorld(played, scenario, options)).run()
}

/** The world of a run, with what only real hosts have. */
interface PlayedWorld {
  readonly world: ScenarioWorld
  readonly operators?: { play(fault: SwapFault): () => void }
  /** How far a member is in its chain and in the succession of engines; undefined: something is under way. */
  readonly positionOf?: (member: MemberIndex) => string | undefined
}

function makeWorld(engine: PlayedEngine, scenario: Scenario, options: PlayOptions): PlayedWorld {
  if (scenario.fidelity === 'full') return hostWorld(engine, scenario, options, realWorld)
  if (scenario.fidelity === 'host') return hostWorld(engine, scenario, options, logicalWorld)
  const swap = scenario.faults.find(({ kind }) => FAULT_CLASSES[kind] === 'swaps' && !OF_ONE_ENGINE.has(kind))
  if (swap || engine.successors)
    throw new PeerError('ERR_SIMULATION_SCENARIO', `logical runs have no succession of engines (${swap ? `a fault '${swap.kind}'` : 'successors'})`, {
      hint: 'hosts change engines: play it with fidelity host or full',
    })
  return { world: new ModelWorld({ ...worldOptions(engine, scenario, options), ...(scenario.signatures === 'p256' ? { signer: createP256Keys() } : {}) }) }
}

/** Faults that came with the succession of engines, and need no second one. */
const OF_ONE_ENGINE = new Set<Fault['kind']>(['wipe', 'replay', 'restart-engine'])

function worldOptions({ factory, options }: PlayedEngine, scenario: Scenario, { trace = false }: PlayOptions) {
  const { seed, members, faults, delayMs, diskMs, repetitions, hosts, toldRequests } = scenario
  return {
    seed,
    members,
    engine: { factory, options },
    links: { minDelayMs: delayMs[0], maxDelayMs: delayMs[1] },
    disk: { minWriteMs: diskMs[0], maxWriteMs: diskMs[1] },
    byzantine: byzantineOf(faults),
    twins: twinsOf(faults),
    hostsTalk: hosts !== 'silent',
    executesRepetitions: repetitions === 'executed',
    ...(toldRequests === undefined ? {} : { toldRequests }),
    trace,
  }
}

function hostWorld<L extends Ledger>(engine: PlayedEngine, scenario: Scenario, options: PlayOptions, ledgers: LedgerWorld<L>): PlayedWorld {
  const { toldRequests, signatures } = scenario
  const world = new Simulation<L>({
    ...worldOptions(engine, scenario, options),
    successors: (engine.successors ?? []).map(({ factory, options: raw = {} }) => ({ factory, options: raw })),
    ...ledgers,
    ...(toldRequests === undefined ? {} : { limits: { maxToldRequests: toldRequests } }),
    ...(signatures === 'p256' ? { signer: createP256Signers() } : {}),
    ...(options.log ? { log: options.log } : {}),
  })
  return {
    world,
    operators: new Operators(world),
    positionOf: (member) => {
      const { host } = world.peers[member] ?? {}
      const { epoch, height, halted } = host?.status() ?? {}
      const view = host?.swaps.view()
      return halted === undefined && view && !view.candidate && !view.isSealing ? `${epoch} ${height}` : undefined
    },
  }
}

class Play {
  /** Honest members that come back. */
  readonly #live: readonly MemberIndex[]
  /** They, and those that come back without their disk. */
  readonly #present: readonly MemberIndex[]

  constructor(
    private readonly engine: PlayedEngine,
    private readonly scenario: Scenario,
    private readonly played: PlayedWorld,
  ) {
    const { members, faults } = scenario
    const dead = deadOf(faults)
    const gone = new Set([...byzantineOf(faults), ...dead])
    this.#live = Array.from({ length: members }, (_, index) => index).filter((index) => !gone.has(index))
    this.#present = [...this.#live, ...wipedOf(faults).filter((member) => !dead.includes(member))].sort((a, b) => a - b)
  }

  async run(): Promise<Played> {
    const { invariants, time, trace } = this.played.world
    const failure = await this.#play().catch((error: unknown) => {
      if (error instanceof SimulationFailure) return error
      throw error
    })
    return {
      failure,
      trace,
      virtualMs: time.nowMs,
      steps: this.played.world.steps,
      blocks: Math.max(...this.#live.map((member) => invariants.heightOf(member))),
      accepted: invariants.acceptedCount,
      ordered: invariants.order?.held ?? 0,
      swaps: invariants.swaps,
    }
  }

  async #play(): Promise<undefined> {
    const { scenario } = this
    const simulation = this.played.world
    await simulation.start(LONGEST_START_MS)
    const faults = new FaultRunner(simulation, scenario.faults, this.played.operators)
    faults.schedule()
    for (const request of scenario.requests) simulation.time.schedule(request.atMs, () => this.#submit(request))
    await simulation.run(scenario.durationMs)
    faults.end()
    await simulation.runUntil('all members run again', () => this.#present.every((member) => simulation.peer(member).isRunning), LONGEST_START_MS)
    if (scenario.expect === 'progress') await this.#settle()
    await simulation.checkAll()
  }

  async #settle(): Promise<void> {
    const { scenario } = this
    const simulation = this.played.world
    for (const member of this.#live) simulation.peer(member).submit(makeTransaction(`last of vp${member}`))
    await simulation.runUntil('every accepted transaction is in every chain and nobody waits', this.#isOver(), scenario.patienceMs)
    if (this.engine.successors)
      await simulation.runUntil('everybody is in one epoch at one height, and no swap is under way', () => this.#isAlike(), scenario.patienceMs)
  }

  /** What operators began is over, and nobody is left behind; nobody helps with an earlier epoch any more. */
  #isAlike(): boolean {
    const states = this.#present.map((member) => this.played.positionOf?.(member))
    return states[0] !== undefined && new Set(states).size === 1
  }

  #isOver(): () => boolean {
    const { invariants, peers } = this.played.world
    let seen = -1
    let isMissing = true
    return () => {
      if (seen !== invariants.changes) {
        seen = invariants.changes
        isMissing = invariants.missing(this.#live, this.#live).length > 0
      }
      return !isMissing && this.#live.every((member) => peers[member]?.pendingRequests === 0)
    }
  }

  /** The member that is asked, or else the next honest one that is there. */
  #submit({ member, name, fails = false }: ScenarioRequest): void {
    const { members } = this.scenario
    const { peers, invariants } = this.played.world
    for (let step = 0; step < members; step += 1) {
      const peer = peers[(member + step) % members]
      if (peer && invariants.isHonest(peer.member.index) && peer.submit(makeTransaction(name, { fails }))) return
    }
  }
}

function twinsOf(faults: readonly Fault[]): MemberIndex[] {
  return [...new Set(faults.flatMap((fault) => (fault.kind === 'twins' ? [fault.member] : [])))].sort((a, b) => a - b)
}
