import { Client, credentials } from '@grpc/grpc-js'
import { PeerError } from '../../kernel/index.js'
import type { Devnet, PeerPlan } from '../devnet/index.js'
import { invocation, Load, type LoadResult } from './load.js'
import { caughtUp, connections, cpuOf, inStep, type Measured, timed, values } from './network.js'
import { cpuMicros, peakMiB } from './processes.js'

const CHAINCODE = 'example02'
const MOVE = ['invoke', 'a', 'b', '1']
const STREAMS_PER_CONNECTION = 200
const WARM_UP_SECONDS = 3
const WARM_UP_SLICES = 6
const WARM_UP_TRANSACTIONS = 15_000
const RESTART_LIMIT_MS = 60_000

/** One row of the report. */
export interface Row {
  readonly name: string
  readonly result: LoadResult
  /** CPU of every peer for one committed transaction, in microseconds. */
  readonly cpuMicros: readonly number[]
  /** CPU of the one process that makes the load. */
  readonly clientMicros: number
}

export interface Report {
  readonly validators: number
  readonly meshMs: number
  readonly rows: readonly Row[]
  readonly restartMs: number
  readonly wipedMs: number
  readonly peakMiB: readonly number[]
  /** Transactions answered as committed, and those that the world state of every validator shows. */
  readonly acknowledged: number
  readonly found: readonly number[]
}

export interface Loads {
  readonly seconds: number
  readonly inFlight: number
  readonly rate: number
  readonly many: number
}

/** Measures a network that runs: latency at low load and at a steady rate, the most it commits, many requests in flight, a restart and a wiped disk under load. */
export async function measure({ devnet, meshMs }: Measured, { seconds, inFlight, rate, many }: Loads, say: (row: Row) => void): Promise<Report> {
  const request = invocation(CHAINCODE, MOVE)
  const before = await values(devnet, CHAINCODE, 'a')
  const opened: Client[] = []
  const open = ({ address }: PeerPlan): Client => {
    const client = new Client(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1, 'grpc.enable_http_proxy': 0 })
    opened.push(client)
    return client
  }
  const few = connections(devnet, Math.max(1, Math.ceil(inFlight / devnet.peers.length / STREAMS_PER_CONNECTION)), open)
  let acknowledged = 0
  /** Measures one load, and says what it gave. */
  const run = async (name: string, clients: readonly Client[], load: (load: Load) => Promise<LoadResult>): Promise<Row> => {
    const row = await measured(devnet, name, () => load(new Load(clients, request)))
    acknowledged += row.result.committed
    say(row)
    return row
  }
  try {
    await warmUp(() => run('warm-up', few, (load) => load.closedLoop(inFlight, WARM_UP_SECONDS)))
    const rows = [
      await run('20 a second', few, (load) => load.paced(20, seconds)),
      await run(`${rate} a second`, few, (load) => load.paced(rate, seconds)),
      await run(`${inFlight} in flight`, few, (load) => load.closedLoop(inFlight, seconds)),
    ]
    const lots = connections(devnet, Math.ceil(many / devnet.peers.length / STREAMS_PER_CONNECTION), open)
    rows.push(await run(`${many} in flight`, lots, (load) => load.closedLoop(many, 2 * seconds)))
    const [first, ...others] = devnet.peers
    const last = others.at(-1)
    if (!first || !last) throw new PeerError('ERR_USAGE', 'a network that is measured has two validators or more')
    const away = { restartMs: 0, wipedMs: 0 }
    const without = few.filter((_, index) => index % devnet.peers.length !== devnet.peers.length - 1)
    rows.push(
      await run('a validator restarts, and loses its disk', without, async (load) => {
        const loading = load.closedLoop(Math.min(32, inFlight), 4 * seconds)
        away.restartMs = await cameBack(devnet, last, first, false)
        away.wipedMs = await cameBack(devnet, last, first, true)
        return loading
      }),
    )
    const after = await values(devnet, CHAINCODE, 'a')
    const peak = devnet.peers.map((peer) => peakMiB(devnet.pid(peer) ?? process.pid))
    const found = before.map((value, index) => value - (after[index] ?? Number.NaN))
    return { validators: devnet.peers.length, meshMs, rows, ...away, peakMiB: peak, acknowledged, found }
  } finally {
    for (const client of opened) client.close()
  }
}

/** Until the code that is measured is compiled: by number, since on a slow or busy machine a time alone would be too short. */
async function warmUp(slice: () => Promise<Row>): Promise<void> {
  let committed = 0
  for (let slices = 0; slices < WARM_UP_SLICES && committed < WARM_UP_TRANSACTIONS; slices++) committed += (await slice()).result.committed
}

async function measured(devnet: Devnet, name: string, load: () => Promise<LoadResult>): Promise<Row> {
  const pids = devnet.peers.map((peer) => devnet.pid(peer))
  const cpu = cpuOf(devnet)
  const client = cpuMicros(process.pid)
  const result = await load()
  await inStep(devnet)
  // A process that was started meanwhile has used nothing before.
  const before = devnet.peers.map((peer, index) => (devnet.pid(peer) === pids[index] ? (cpu[index] ?? 0) : 0))
  const each = cpuOf(devnet).map((now, index) => (now - (before[index] ?? 0)) / result.committed)
  return { name, result, cpuMicros: each, clientMicros: (cpuMicros(process.pid) - client) / result.committed }
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
