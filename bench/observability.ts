import { invocation, invokeLoad, type LoadResult } from './load.js'
import { type BenchPeer, startPeer } from './peer.js'
import type { Row } from './report.js'

const WORKERS = 64
const ROUNDS = 11
const WARM_UP_ROUNDS = 4
const SCRAPE_EVERY_MS = 1000
const REQUEST = invocation('example02', ['invoke', 'a', 'b', '1'])
const QUIET = ['--set', 'metrics.enabled=false', '--logging-level', 'critical']

/** What metrics and the log cost at their defaults: one peer has them and is scraped every second, the other has neither; they are loaded in turns. */
export async function observabilityScenario(seconds: number): Promise<Row[]> {
  const quiet = await startPeer(QUIET)
  const watched = await startPeer()
  const stopScraping = scrape(watched.metricsAddress)
  try {
    const slice = Math.max(1, seconds / 3)
    for (let round = 0; round < WARM_UP_ROUNDS; round++) for (const peer of [quiet, watched]) await load(peer, slice)
    const runs: { readonly quiet: LoadResult; readonly watched: LoadResult }[] = []
    // Whoever is second finds another machine than who was first: so the order changes.
    for (let round = 0; round < ROUNDS; round++) {
      const first = await load(round % 2 === 0 ? quiet : watched, slice)
      const second = await load(round % 2 === 0 ? watched : quiet, slice)
      runs.push(round % 2 === 0 ? { quiet: first, watched: second } : { quiet: second, watched: first })
    }
    const more = median(runs.map((run) => run.watched.cpuMicros / run.quiet.cpuMicros - 1)) * 100
    return [
      rowOf(
        'invoke in process, no metrics, no log',
        runs.map((run) => run.quiet),
        `${ROUNDS} rounds in turns, medians`,
      ),
      rowOf(
        'invoke in process, metrics scraped, log',
        runs.map((run) => run.watched),
        `${more >= 0 ? '+' : ''}${more.toFixed(1)} % CPU, median of the rounds`,
      ),
    ]
  } finally {
    await stopScraping()
    await quiet.stop()
    await watched.stop()
  }
}

function load({ client, process }: BenchPeer, seconds: number): Promise<LoadResult> {
  return invokeLoad(client, process, REQUEST, WORKERS, seconds)
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

function rowOf(name: string, results: readonly LoadResult[], note: string): Row {
  const of = (pick: (result: LoadResult) => number): number => median(results.map(pick))
  return {
    name,
    perSecond: of(({ perSecond }) => perSecond),
    cpuMicros: of(({ cpuMicros }) => cpuMicros),
    echoMicros: undefined,
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    peakMiB: of(({ peakMiB }) => peakMiB),
    note,
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
