import { invocation, pacedLoad } from './load.js'
import { type BenchPeer, startPeer } from './peer.js'
import type { Row } from './report.js'

const OFFERED_PER_SECOND = 1000
const ROUNDS = 8
const WARM_UP_SECONDS = 5
const SCRAPE_EVERY_MS = 1000
const REQUEST = invocation('example02', ['invoke', 'a', 'b', '1'])
const QUIET = ['--set', 'metrics.enabled=false', '--logging-level', 'critical']

/** One of the peers that are compared, and what it has done so far. */
interface Side {
  readonly name: string
  readonly peer: BenchPeer
  committed: number
  cpuMicros: number
  perSecond: number
  peakMiB: number
}

/** What metrics and the log cost at their defaults: one peer has them and is scraped every second, the other has neither; the same steady load in turns. */
export async function observabilityScenario(seconds: number): Promise<Row[]> {
  const quiet = sideOf('invoke, no metrics, no log', await startPeer(QUIET))
  const watched = sideOf('invoke, metrics scraped, log', await startPeer())
  const stopScraping = scrape(watched.peer.metricsAddress)
  try {
    for (const side of [quiet, watched]) await load(side, WARM_UP_SECONDS)
    for (const side of [quiet, watched]) Object.assign(side, { committed: 0, cpuMicros: 0, perSecond: 0 })
    // Whoever is second finds another machine than who was first: so the order changes.
    for (let round = 0; round < ROUNDS; round++) {
      const sides = round % 2 === 0 ? [quiet, watched] : [watched, quiet]
      for (const side of sides) await load(side, Math.max(1, seconds / 2))
    }
    const more = 100 * (watched.cpuMicros / watched.committed / (quiet.cpuMicros / quiet.committed) - 1)
    return [rowOf(quiet, `${quiet.committed} committed`), rowOf(watched, `${watched.committed} committed, ${more < 0 ? '' : '+'}${more.toFixed(1)} % CPU`)]
  } finally {
    await stopScraping()
    await quiet.peer.stop()
    await watched.peer.stop()
  }
}

function sideOf(name: string, peer: BenchPeer): Side {
  return { name, peer, committed: 0, cpuMicros: 0, perSecond: 0, peakMiB: 0 }
}

async function load(side: Side, seconds: number): Promise<void> {
  const { committed, cpuMicros, perSecond, peakMiB } = await pacedLoad(side.peer.client, side.peer.process, REQUEST, OFFERED_PER_SECOND, seconds)
  side.committed += committed
  side.cpuMicros += cpuMicros * committed
  side.perSecond += perSecond / ROUNDS
  side.peakMiB = peakMiB
}

/** Asks for the metrics every second, as Prometheus would every ten or fifteen. */
function scrape(address: string): () => Promise<void> {
  let running: Promise<unknown> = Promise.resolve()
  const timer = setInterval(() => {
    running = fetch(`http://${address}/metrics`).then((response) => response.text())
  }, SCRAPE_EVERY_MS)
  return async () => {
    clearInterval(timer)
    await running
  }
}

function rowOf({ name, perSecond, cpuMicros, committed, peakMiB }: Side, note: string): Row {
  return { name, perSecond, cpuMicros: cpuMicros / committed, echoMicros: undefined, p50Ms: undefined, p99Ms: undefined, peakMiB, note }
}
