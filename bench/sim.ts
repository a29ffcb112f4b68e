import { setFlagsFromString } from 'node:v8'
import type { EngineFactory } from '../plugins/consensus/index.js'
import { pbft } from '../plugins/pbft/index.js'
import { planScenario, playScenario, type Scenario } from '../test/kit/index.js'
import { collectBetweenRuns } from '../test/kit/young-objects.js'
import type { Row } from './report.js'

const MEMBERS = 4
const BATCHES = 100
/** Seeds played before any is measured: the compiler is not done with the first ones, and campaigns have thousands. */
const WARM_UP = 30
/** Far enough apart that each is a batch of its own. */
const APART_MS = 60
const engine: { readonly factory: EngineFactory; readonly options: unknown } = { factory: pbft, options: {} }

/** A seed of the simulator: four validators, a hundred batches, real encoding; with the real ledger's hashes, and in logical mode. */
export async function simulator(seconds: number): Promise<Row[]> {
  // As `peer sim` has it.
  Buffer.poolSize = 64 * 1024
  setFlagsFromString('--no-allocation-site-pretenuring')
  return [await seeds('full', seconds), await seeds('host', seconds), await seeds('logical', seconds)]
}

async function seeds(fidelity: Scenario['fidelity'], seconds: number): Promise<Row> {
  for (let seed = 0; seed < WARM_UP; seed += 1) await play(fidelity, seed)
  const before = process.cpuUsage()
  const end = performance.now() + seconds * 1000
  let played = 0
  let blocks = 0
  while (performance.now() < end) {
    played += 1
    blocks += await play(fidelity, WARM_UP + played)
  }
  const { user, system } = process.cpuUsage(before)
  const cpuMicros = (user + system) / played
  return {
    name: `simulator, a seed of ${MEMBERS} validators and ${BATCHES} batches, ${fidelity}`,
    perSecond: 1e6 / cpuMicros,
    cpuMicros,
    echoMicros: undefined,
    p50Ms: undefined,
    p99Ms: undefined,
    peakMiB: process.memoryUsage().rss / 1024 / 1024,
    note: `${Math.round(60e6 / cpuMicros)} seeds a minute of one core, ${Math.round(blocks / played)} blocks each`,
  }
}

async function play(fidelity: Scenario['fidelity'], seed: number): Promise<number> {
  const calm = planScenario({ seed, members: MEMBERS, tolerates: engine.factory.tolerates(MEMBERS), faults: [], requests: 0, fidelity })
  const requests = Array.from({ length: BATCHES }, (_, number) => ({ atMs: number * APART_MS, member: number % MEMBERS, name: `t${number}` }))
  const scenario: Scenario = { ...calm, delayMs: [1, 5], diskMs: [0.1, 1], requests, durationMs: BATCHES * APART_MS }
  const { failure, blocks } = await playScenario(engine, scenario)
  if (failure) throw failure
  collectBetweenRuns()
  return blocks
}
