import { expect, test } from 'vitest'
import { ChaosNetwork } from './chaos/network.js'
import { Promised } from './chaos/promises.js'
import { harm } from './chaos/swap-harm.js'
import { hasStarted, leaderAt, MOMENTS, propose, successionAt, untilMoment } from './chaos/swap-moments.js'
import { LongestGap, OrderedDoor, reordered } from './chaos/swap-watch.js'
import { ChainFollower, Load, randomFrom } from './support/load.js'
import { until } from './support/peer.js'
import { pause } from './support/program.js'
import { buildEngines } from './swap/network.js'

// Swaps, each with a fault at a moment of it, under load; part of npm run long:
// WEFT_SWAP_CHAOS_SECONDS=3600 npx vitest run --config .ci/vitest.config.ts test/integration/chaos-swaps
const SECONDS = Number(process.env['WEFT_SWAP_CHAOS_SECONDS'] ?? 0)
const SEED = Number(process.env['WEFT_CHAOS_SEED'] ?? Date.now() % 2 ** 31)
const IN_PROCESS = process.env['WEFT_CHAOS_ISOLATED'] !== '1'
const ENGINES = ['sequencer', 'pbft', 'raft', 'hotstuff']
const FAULTS = ['none', 'kill', 'kill', 'kill', 'stop', 'stop', 'cut', 'silence', 'two', 'all', ...(IN_PROCESS ? [] : ['engine', 'engine'])]
const ROLES = ['leader', 'next', 'proposer', 'any']
const ALL = [0, 1, 2, 3]
const CLIENTS_PER_DOOR = 4
const RETRY_MS = 200
const DEADLINE_MS = 6000
const MEND_MS = 120_000

const log = (text: string): void => void process.stderr.write(`swaps: ${text}\n`)

test.skipIf(SECONDS === 0)('swaps among faults lose, double and part nothing', { timeout: SECONDS * 3000 + 600_000 }, async () => {
  const engines = await buildEngines(['raft', 'hotstuff', 'sequencer'])
  const network = await ChaosNetwork.start(ALL.length, {
    'peer.validator.consensus.plugin': 'pbft',
    'consensus.engines': [...engines.values()].join(','),
    'logging.node': 'info',
    ...(IN_PROCESS ? { 'consensus.trusted': 'raft,hotstuff,sequencer' } : {}),
  })
  const swaps = new Swaps(network, randomFrom(SEED))
  const endMs = performance.now() + SECONDS * 1000
  try {
    for (let round = 1; performance.now() < endMs; round++) log(`${round}: ${await swaps.round()}`)
    await swaps.promised.checkWhole(network, ALL)
  } catch (cause) {
    throw new Error(`seed ${SEED} (WEFT_CHAOS_SEED), logs in ${network.keepLogs(`weft-swaps-${SEED}`)}: ${swaps.told}`, { cause })
  }
  expect(swaps.promised.count).toBeGreaterThan(0)
})

/** Rounds of one network. */
class Swaps {
  readonly promised = new Promised(ALL.length)
  /** What the last round did. */
  told = ''
  readonly #chain = new ChainFollower()

  constructor(
    private readonly network: ChaosNetwork,
    private readonly random: () => number,
  ) {}

  /** One swap and one fault, and then nothing is missing. Resolves with what happened. */
  async round(): Promise<string> {
    const { network } = this
    const { record } = await successionAt(network, 0, MEND_MS)
    const { epoch: from = 0n, engine: current = '' } = record ?? {}
    const to = this.#pick(ENGINES.filter((name) => name !== current))
    const loads = ALL.map((door) => new Load(network.peer(door).client, this.random, CLIENTS_PER_DOOR, RETRY_MS))
    const doors = ALL.map((door) => new OrderedDoor(network, door))
    await pause(700)
    const gap = new LongestGap(network)
    const isHarmed = await this.#swap(from, current, to)
    const mendedMs = performance.now()
    const engine = await this.#settled()
    const settledMs = Math.round(performance.now() - mendedMs)
    for (const door of ALL) await this.#commits(door)
    const gapMs = await gap.stop()
    const orders = await Promise.all(doors.map((door) => door.stop()))
    for (const [door, load] of loads.entries()) this.promised.add(door, await load.stop())
    for (const [door, txids] of orders.entries()) this.promised.add(door, { accepted: new Set(txids), committed: new Map(), unanswered: 0 })
    await this.promised.settle(network, 0, MEND_MS)
    await this.#chain.follow(network.peer(0).client)
    const inversions = orders.map((txids) => reordered(txids, this.#chain))
    if (!isHarmed && inversions.some((count) => count > 0)) log(`reordered without a fault, which a change of the view may do: ${inversions.join(' ')}`)
    return `${this.told}; then ${engine}, after ${settledMs} ms; longest gap ${gapMs} ms; reordered ${inversions.join(' ')}; ${this.promised.count} transactions`
  }

  async #swap(from: bigint, current: string, to: string): Promise<boolean> {
    const { network, random } = this
    const fault = this.#pick(FAULTS)
    const role = this.#pick(ROLES)
    const proposer = Math.floor(random() * ALL.length)
    const byRole = { leader: await leaderAt(network, 0), next: Number((from + 1n) % BigInt(ALL.length)), proposer }[role]
    const victim = byRole ?? Math.floor(random() * ALL.length)
    const others = ALL.filter((index) => index !== victim)
    const victims = fault === 'none' ? [] : fault === 'all' ? ALL : fault === 'two' ? [victim, this.#pick(others)] : [victim]
    const forMs = fault === 'stop' ? 1000 + 29_000 * random() ** 4 : 8000 * random() ** 2
    const moment = this.#pick([...MOMENTS, 'before', 'at random', 'at random'] as const)
    const name = typeof moment === 'string' ? moment : moment.name
    this.told = `${current} to ${to} at vp${proposer}; ${fault} ${victims.map((index) => `vp${index}`).join(' ')} (${role}), ${name}, for ${Math.round(forMs)} ms`
    const { begin, end } = harm(network, fault, victims)
    if (moment === 'before') await begin()
    const at = moment === 'before' ? ALL.find((index) => !victims.includes(index)) : proposer
    const proposing = at === undefined ? Promise.resolve('nobody is there') : propose(network, at, to, DEADLINE_MS)
    if (moment === 'at random') await pause(1000 * random())
    else if (moment !== 'before') await untilMoment(network, fault === 'all' ? victim : this.#pick(others), moment, from, 15_000)
    if (moment !== 'before') await begin()
    await pause(forMs)
    await end()
    this.told += `: ${await Promise.race([proposing, pause(60_000).then(() => 'no answer')])}`
    return fault !== 'none'
  }

  /** All in one epoch that has started, with nothing of a swap left. Resolves with its engine. */
  async #settled(): Promise<string> {
    let shown: string[] = []
    let engine = ''
    const isSettled = async (): Promise<boolean> => {
      const reports = await Promise.all(ALL.map((index) => successionAt(this.network, index).catch(() => undefined)))
      shown = reports.map((report) => {
        const { record, candidate, phase, sealing, halted } = report ?? {}
        const started = `${record?.started.join(' ')} of ${record?.markersNeeded}`
        return `${record?.engine} of epoch ${record?.epoch} after ${record?.activation}, started by ${started}, candidate ${candidate?.proposal?.engine} ${phase} ${sealing} ${halted}`
      })
      engine = `${reports[0]?.record?.engine} of epoch ${reports[0]?.record?.epoch}`
      const epochs = new Set(reports.map((report) => `${report?.record?.epoch} ${report?.record?.engine} ${report?.record?.activation}`))
      return epochs.size === 1 && reports.every((report) => report && !report.candidate && !report.sealing && report.halted === '' && hasStarted(report))
    }
    await until('settled', isSettled, MEND_MS).catch((cause: unknown) => {
      throw new Error(`expected one epoch that has started; found:\n${shown.join('\n')}`, { cause })
    })
    return engine
  }

  async #commits(index: number): Promise<void> {
    const commits = async (): Promise<boolean> => {
      try {
        return (await this.network.peer(index).client.invokeAndWait('example02', 'invoke', 'a', 'b', '1')).outcome.status === 'committed'
      } catch {
        return false // a connection that this round has broken, or one that catches up: once more
      }
    }
    await until(`vp${index} commits`, commits, MEND_MS)
  }

  #pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.random() * items.length)]
    if (item === undefined) throw new RangeError('nothing to pick from')
    return item
  }
}
