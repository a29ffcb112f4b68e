import { PeerError } from '../../kernel/index.js'
import type { Devnet, PeerPlan } from '../devnet/index.js'
import { invocation, Load, type LoadCounts, type LoadResult, NOTHING_SENT, together } from './load.js'
import { caughtUp, connections, cpuOf, inStep, type Measured, timed, values } from './network.js'
import { cpuMicros, peakMiB } from './processes.js'

const MOVE = ['invoke', 'a', 'b', '1']
const LOW_RATE = 20
const WARM_UP_SECONDS = 3
const WARM_UP_SLICES = 6
const WARM_UP_TRANSACTIONS = 15_000
const RESTART_LIMIT_MS = 60_000
/** Callers during restarts: what is lost with a connection must not be the whole load. */
const CALLERS_MEANWHILE = 32

/** One row of the report. */
export interface Row {
  readonly name: string
  readonly result: LoadResult
  /** CPU of every peer for one committed transaction, in microseconds. */
  readonly cpuMicros: readonly number[]
  /** CPU of all chaincode processes of their own, likewise. */
  readonly chaincodeMicros: number
  /** CPU of the one process that makes the load, likewise. */
  readonly clientMicros: number
}

/** What one network did. */
export interface NetworkReport {
  readonly network: string
  readonly validators: number
  readonly meshMs: number
  readonly rows: readonly Row[]
  /** After `kill -9`, until in step under load; with the disk lost. Only where that was measured. */
  readonly restartMs?: number
  readonly wipedMs?: number
  readonly peakMiB: readonly number[]
  /** What became of all transactions, those of warm-ups too, and how many the world state of every validator shows. */
  readonly counts: LoadCounts
  readonly found: readonly number[]
  /** Texts of what was rejected, unsent or unknown, by load. */
  readonly errors: readonly string[]
}

export interface Loads {
  readonly seconds: number
  readonly inFlight: number
  readonly rate: number
  readonly many: number
}

/** The rows that a network can be measured in, by the names that the command takes. */
export const NETWORK_ROWS = ['low', 'rate', 'most', 'many', 'away'] as const
export type NetworkRow = (typeof NETWORK_ROWS)[number]

export interface NetworkBenchOptions {
  readonly network: string
  readonly chaincode: string
  readonly loads: Loads
  readonly say: (row: Row) => void
  /** Processes of chaincode, whose CPU counts too. */
  readonly chaincodePids?: readonly number[]
}

/** Loads one network in one way after the other; after each load all validators must be in step. */
export class NetworkBench {
  private readonly rows: Row[] = []
  private readonly away: { restartMs?: number; wipedMs?: number } = {}
  private readonly request: Uint8Array
  private counts = NOTHING_SENT
  private readonly errors: string[] = []

  private constructor(
    private readonly measured: Measured,
    private readonly options: NetworkBenchOptions,
    private readonly before: readonly number[],
  ) {
    this.request = invocation(options.chaincode, MOVE)
  }

  static async begin(measured: Measured, options: NetworkBenchOptions): Promise<NetworkBench> {
    return new NetworkBench(measured, options, await values(measured.devnet, options.chaincode, 'a'))
  }

  /** Until the code that is measured is compiled: by number, since on a slow or busy machine a time alone would be too short. */
  async warmUp(inFlight: number, transactions = WARM_UP_TRANSACTIONS): Promise<void> {
    let committed = 0
    for (let slices = 0; slices < WARM_UP_SLICES && committed < transactions; slices++) {
      const { result } = await this.load(`${this.options.network}: warm-up`, this.devnet.peers, inFlight, (load) => load.closedLoop(inFlight, WARM_UP_SECONDS))
      committed += result.committed
    }
  }

  async run(row: NetworkRow): Promise<void> {
    const { seconds, rate, inFlight, many } = this.options.loads
    if (row === 'low') await this.paced(LOW_RATE, seconds)
    else if (row === 'rate') await this.paced(rate, seconds)
    else if (row === 'most') await this.closedLoop(inFlight, seconds)
    else if (row === 'many') await this.closedLoop(many, 2 * seconds)
    else await this.restarts()
  }

  async closedLoop(inFlight: number, seconds: number): Promise<void> {
    this.rows.push(await this.load(`${this.options.network}: ${inFlight} in flight`, this.devnet.peers, inFlight, (load) => load.closedLoop(inFlight, seconds)))
  }

  async report(): Promise<NetworkReport> {
    const { devnet, meshMs } = this.measured
    const after = await values(devnet, this.options.chaincode, 'a')
    return {
      network: this.options.network,
      validators: devnet.peers.length,
      meshMs,
      rows: this.rows,
      ...this.away,
      peakMiB: devnet.peers.map((peer) => peakMiB(devnet.pid(peer) ?? process.pid)),
      counts: this.counts,
      found: this.before.map((value, index) => value - (after[index] ?? Number.NaN)),
      errors: this.errors,
    }
  }

  private get devnet(): Devnet {
    return this.measured.devnet
  }

  private async paced(rate: number, seconds: number): Promise<void> {
    this.rows.push(await this.load(`${this.options.network}: ${rate} a second`, this.devnet.peers, rate, (load) => load.paced(rate, seconds)))
  }

  private async restarts(): Promise<void> {
    const { peers } = this.devnet
    const [first, ...others] = peers
    const last = others.at(-1)
    if (!first || !last) throw new PeerError('ERR_USAGE', 'restarts are measured in a network of two validators or more')
    const { loads, network } = this.options
    const inFlight = Math.min(CALLERS_MEANWHILE, loads.inFlight)
    const row = await this.load(`${network}: a validator restarts, and loses its disk`, peers.slice(0, -1), inFlight, async (load) => {
      const loading = load.closedLoop(inFlight, 4 * loads.seconds)
      this.away.restartMs = await cameBack(this.devnet, last, first, false)
      this.away.wipedMs = await cameBack(this.devnet, last, first, true)
      return loading
    })
    this.rows.push(row)
  }

  /** Measures one load, and says what it gave. */
  private async load(name: string, peers: readonly PeerPlan[], inFlight: number, load: (load: Load) => Promise<LoadResult>): Promise<Row> {
    const opened = connections(peers, inFlight, this.request)
    try {
      const row = await this.costs(name, () => load(new Load(opened)))
      this.counts = together(this.counts, row.result)
      this.errors.push(...row.result.errors.map((error) => `${name}: ${error}`))
      this.options.say(row)
      return row
    } finally {
      for (const connection of opened) connection.close()
    }
  }

  private async costs(name: string, load: () => Promise<LoadResult>): Promise<Row> {
    const { devnet } = this
    const { chaincodePids = [] } = this.options
    const chaincodeCpu = (): number => chaincodePids.reduce((sum, pid) => sum + cpuMicros(pid), 0)
    const pids = devnet.peers.map((peer) => devnet.pid(peer))
    const [cpu, client, chaincode] = [cpuOf(devnet), cpuMicros(process.pid), chaincodeCpu()]
    const result = await load()
    await inStep(devnet)
    // A process that was started meanwhile has used nothing before.
    const before = devnet.peers.map((peer, index) => (devnet.pid(peer) === pids[index] ? (cpu[index] ?? 0) : 0))
    return {
      name,
      result,
      cpuMicros: cpuOf(devnet).map((now, index) => (now - (before[index] ?? 0)) / result.committed),
      chaincodeMicros: (chaincodeCpu() - chaincode) / result.committed,
      clientMicros: (cpuMicros(process.pid) - client) / result.committed,
    }
  }
}

/** Ends a peer as a power cut would, perhaps with its disk, and starts it again under load: until it has what the others have at that moment. */
async function cameBack(devnet: Devnet, peer: PeerPlan, other: PeerPlan, isWiped: boolean): Promise<number> {
  await devnet.kill(peer)
  if (isWiped) devnet.wipe(peer)
  return timed(async () => {
    await devnet.ready(await devnet.start([peer]), RESTART_LIMIT_MS)
    await caughtUp(devnet, peer, other)
  })
}
