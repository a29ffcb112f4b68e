import type { EngineFactory, TransferTarget } from '../../plugins/consensus/index.js'
import type { Store } from '../../plugins/level/index.js'
import { createRandom, type LogicalLedger, makeTransaction, type MemoryDiskOptions, openLogicalLedger, Simulation } from '../kit/index.js'

export interface Scenario {
  readonly seed: number
  readonly members: number
  readonly transactions: number
  /** Crashes, one member at a time; each is down for up to half a second. */
  readonly crashes: number
  /** The power goes for all members at once, at some moment. */
  readonly blackout?: boolean
  /** Links break and heal by themselves until the load is over. */
  readonly breaks: boolean
  readonly trace?: boolean
  /** Default: 1 to 5 ms a write. */
  readonly disk?: MemoryDiskOptions
  /** How long everything may take to be ordered after the last fault. Default 15 s. */
  readonly patienceMs?: number
  /** For mutants. */
  readonly wrapStore?: (store: Store) => Store
}

/** Virtual time in which the load arrives. */
const LOAD_MS = 1000

/**
 * Load at every member while faults happen; then everything heals and every accepted transaction has to be in every member's chain.
 * Returns the finished simulation; throws what broke.
 */
export async function runScenario(factory: EngineFactory, scenario: Scenario): Promise<Simulation<LogicalLedger>> {
  const { seed, members, transactions, crashes, breaks } = scenario
  const simulation = new Simulation<LogicalLedger>({
    seed,
    members,
    engine: { factory },
    openLedger: openLogicalLedger,
    transfer: copyChain,
    links: { minDelayMs: 1, maxDelayMs: 15, ...(breaks ? { meanUpMs: 400, meanDownMs: 80 } : {}) },
    trace: scenario.trace ?? false,
    ...(scenario.disk ? { disk: scenario.disk } : {}),
    ...(scenario.wrapStore ? { wrapStore: scenario.wrapStore } : {}),
  })
  const random = createRandom(seed).fork('scenario')
  await simulation.start()
  const { time } = simulation
  for (let number = 0; number < transactions; number += 1) {
    const bytes = makeTransaction(`t${number}`, { fails: random.chance(0.05) })
    const submit = (): void => {
      const up = simulation.peers.filter(({ host }) => host !== undefined)
      if (up.length > 0) random.pick(up).submit(bytes)
    }
    time.schedule(random.between(0, LOAD_MS), submit)
    // A client that got no answer asks again, perhaps somebody else.
    if (random.chance(0.2)) time.schedule(random.between(0, LOAD_MS), submit)
  }
  for (let crash = 0, atMs = 0; crash < crashes; crash += 1) {
    const downMs = random.between(0, LOAD_MS / 2)
    atMs += random.between(0, LOAD_MS / crashes)
    const peer = simulation.peer(random.below(members))
    const kind = random.chance(0.7) ? 'power' : 'kill'
    time.schedule(atMs, () => peer.crash(kind))
    time.schedule(atMs + downMs, () => peer.start())
    atMs += downMs
  }
  if (scenario.blackout) {
    const atMs = random.between(0, LOAD_MS)
    for (const peer of simulation.peers) {
      time.schedule(atMs, () => peer.crash('power'))
      time.schedule(atMs + random.between(1, 100), () => peer.start())
    }
  }
  await simulation.run(LOAD_MS * (1 + crashes / 2))
  simulation.links.heal()
  for (const peer of simulation.peers) peer.start()
  const all = simulation.peers.map((_, index) => index)
  const isOver = (): boolean => simulation.invariants.missing(all).length === 0 && simulation.peers.every(({ host }) => host?.status().pendingRequests === 0)
  await simulation.runUntil('every accepted transaction is in every chain and nobody waits', isOver, scenario.patienceMs ?? 15_000)
  await simulation.checkAll()
  return simulation
}

/** State transfer between two logical ledgers; false if the source does not have that block. */
export async function copyChain(to: LogicalLedger, from: LogicalLedger, { height, hash }: TransferTarget): Promise<boolean> {
  if (from.height() < height) return false
  const next = from.height() === height ? from.info().currentBlockHash : from.block(height)?.previousBlockHash
  if (next === undefined || Buffer.compare(next, hash) !== 0) return false
  return to.copyFrom(from, height)
}
