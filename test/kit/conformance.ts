import { isDeepStrictEqual } from 'node:util'
import { type Logger, PeerError } from '../../kernel/index.js'
import type { EngineFactory } from '../../plugins/consensus/index.js'
import { ContractViolation, failureOf, LivenessViolation } from './failures.js'
import { faultKinds } from './faults.js'
import { damage } from './mutator.js'
import { planScenario } from './plan.js'
import { playScenario } from './play.js'
import { createRandom } from './random.js'
import { type Recording, recordEngine, replay, revive } from './recording.js'
import type { Scenario } from './scenario.js'
import { silentLogger } from './silent-logger.js'

/** Enough, however many are asked for. */
const SEEDS = 3
const SWAP_SEEDS = 4
const HOSTILE_MESSAGES = 400
const SWAPS_MS = [500, 2500, 4500] as const
const SWAP_DEADLINE_MS = 1500
const LOAD_MS = 6500
const LOAD_EVERY_MS = 50

/** Name, version and promises make sense. Throws a ContractViolation. */
export function checkFactory(factory: EngineFactory): void {
  const { name, version } = factory
  require(/^[a-z][a-z0-9-]*$/.test(name), `a name of small letters, digits and hyphens; found '${name}'`)
  require(version.length > 0, 'a version; found none')
  for (let n = 1; n <= 100; n += 1) {
    const { crashed, byzantine } = factory.tolerates(n)
    const promise = `tolerates(${n}) gives { crashed: ${crashed}, byzantine: ${byzantine} }`
    require(Number.isInteger(crashed) && Number.isInteger(byzantine), `whole numbers; ${promise}`)
    require(byzantine >= 0 && byzantine <= crashed && crashed < n, `0 <= byzantine <= crashed < n; ${promise}`)
    // Two quorums of n - f members have an honest one in common only if n > 3f; two majorities if n > 2f.
    require(!factory.agreement || (3 * byzantine < n && 2 * crashed < n), `3 × byzantine < n and 2 × crashed < n, as no protocol can bear more; ${promise}`)
  }
}

/** What `parseOptions` takes and refuses. Throws a ContractViolation. */
export function checkOptions<O>(factory: EngineFactory<O>, options: unknown): void {
  require(isDeepStrictEqual(factory.parseOptions(options), factory.parseOptions(options)), 'equal options from equal input; the second reading differs')
  const strange: readonly unknown[] = [null, 0, -1, Number.NaN, '', 'text', true, [], [1], { 'no such option': 1 }, { toString: 1 }, new Map(), () => undefined]
  for (const raw of strange) {
    try {
      factory.parseOptions(raw)
    } catch (error) {
      const isGood = error instanceof PeerError && error.code !== 'ERR_BROKEN_INVARIANT'
      require(isGood, `options to be read or refused with a PeerError; for ${JSON.stringify(raw)} found ${String(error)}`)
    }
  }
}

/** The same events have the same effects, in another instance. Throws a ContractViolation. */
export async function checkReplay<O>(factory: EngineFactory<O>, options: unknown, members: number, seeds = SEEDS): Promise<void> {
  const recordings = await record(factory, options, members, firstSeeds(seeds, SEEDS))
  require(recordings.length > 0, 'an instance to be created; found none')
  for (const recording of recordings) {
    const difference = replay(factory, factory.parseOptions(options), recording)
    require(difference === undefined, `the same effects for the same events; ${difference?.text}`)
  }
}

/** The same seed gives the same trace, byte for byte. Throws a ContractViolation. */
export async function checkSameRun(factory: EngineFactory, options: unknown, members: number, seeds = SEEDS): Promise<void> {
  for (const seed of firstSeeds(seeds, SEEDS)) {
    const scenario = plan(factory, members, seed)
    const { trace: first } = await playScenario({ factory, options }, scenario, { trace: true })
    const { trace: second } = await playScenario({ factory, options }, scenario, { trace: true })
    const lines = second.lines
    const at = first.lines.findIndex((line, index) => line !== lines[index])
    require(at < 0 && first.lines.length === lines.length, `the same run for seed ${seed}; first '${first.lines[at]}', then '${lines[at]}'`)
  }
}

/** Whatever bytes come from whomever, at any moment of a life. Throws a ContractViolation. */
export async function checkHostileBytes<O>(factory: EngineFactory<O>, options: unknown, members: number, seeds = SEEDS): Promise<void> {
  const recordings = await record(factory, options, members, firstSeeds(seeds, SEEDS))
  const random = createRandom(1).fork('hostile bytes')
  const messages = recordings.flatMap(({ calls }) => calls.flatMap(({ event }) => (event.type === 'message' ? [event.bytes] : [])))
  const make = (): Uint8Array => {
    if (messages.length > 0 && random.chance(0.8)) return damage(random.pick(messages), random.pick(messages), random)
    return Uint8Array.from({ length: random.below(200) }, () => random.below(256))
  }
  for (const recording of recordings.slice(0, 12)) {
    const cut = { ...recording, calls: recording.calls.slice(0, 1 + random.below(recording.calls.length)) }
    const engine = revive(factory, factory.parseOptions(options), cut)
    for (let count = 0; count < HOSTILE_MESSAGES; count += 1) {
      const from = members === 1 ? 0 : (recording.self + 1 + random.below(members - 1)) % members
      const bytes = count === 0 ? new Uint8Array() : make()
      const { effects, returned } = tell(engine, from, bytes)
      const halt = effects.find((effect) => effect.startsWith('halt '))
      require(halt === undefined && !(returned instanceof Promise), `hostile bytes to be dropped; the engine ${halt ?? 'returned a promise'} for ${hex(bytes)}`)
    }
  }
}

/** `dispose` is called at the end; it may log. Throws a ContractViolation. */
export async function checkDispose<O>(factory: EngineFactory<O>, options: unknown, members: number): Promise<void> {
  for (const recording of await record(factory, options, members, [1])) {
    const engine = revive(factory, factory.parseOptions(options), recording)
    const { effects } = engine.tell((instance) => instance.dispose?.())
    const asked = effects.filter((effect) => !effect.startsWith('log '))
    require(asked.length === 0, `dispose to ask for nothing; found ${asked[0]}`)
  }
}

/** Without faults and load, each request is committed everywhere before the next one comes: nothing hangs until more arrives. */
export async function hasSteadyDeliveries(factory: EngineFactory, options: unknown, members: number): Promise<void> {
  const calm = plan(factory, members, 1)
  for (let number = 0; number < members; number += 1) {
    const scenario: Scenario = { ...calm, seed: number + 1, faults: [], requests: [{ atMs: 0, member: number, name: 'alone' }], durationMs: 10_000 }
    const { failure, blocks } = await playScenario({ factory, options }, scenario)
    if (failure) throw failure
    if (blocks < 2) throw new LivenessViolation('expected that a single request becomes a block; none did within 10 s')
  }
}

/** Without faults, under load, each swap is carried out: on trial the engine orders something although its members begin at different times, then it takes over at a block. */
export async function checkSwaps(factory: EngineFactory, options: unknown, members: number, seeds = SWAP_SEEDS): Promise<void> {
  const swaps = SWAPS_MS.map((atMs, index) => ({
    kind: 'swap' as const,
    atMs,
    forMs: 0,
    member: index % members,
    engine: factory.name,
    deadlineMs: SWAP_DEADLINE_MS,
  }))
  const requests = Array.from({ length: LOAD_MS / LOAD_EVERY_MS }, (_, number) => ({
    atMs: number * LOAD_EVERY_MS,
    member: number % members,
    name: `t${number}`,
  }))
  for (const seed of firstSeeds(seeds, SWAP_SEEDS)) {
    const reasons = new Set<string>()
    const sealed = new Set<string>()
    const scenario: Scenario = { ...plan(factory, members, seed), fidelity: 'host', faults: swaps, requests, durationMs: LOAD_MS }
    const { failure, swaps: counts } = await playScenario({ factory, options }, scenario, { log: whyNot(reasons, sealed) })
    if (failure) throw failure
    const [halt] = sealed
    require(halt === undefined, `that an engine which is sealed helps others to get there, until it is disposed of (seed ${seed}): ${halt}`)
    const { prepared, happened } = counts
    if (happened === swaps.length) continue
    throw new LivenessViolation(
      `expected that ${swaps.length} swaps to this engine are prepared and carried out, one after the other; ${prepared} were prepared, ${happened} carried out (seed ${seed}): ${[...reasons].join('; ') || 'nobody said why'}`,
    )
  }
}

/** Keeps why validators took no part in a swap, and why engines halted that were sealed. */
function whyNot(reasons: Set<string>, sealed: Set<string>): Logger {
  const heard: Logger['warning'] = (message, facts) => {
    const reason = facts?.['reason']
    if (message.startsWith('the sealed engine') && typeof reason === 'string') sealed.add(reason)
    if (facts?.['engine'] !== undefined && typeof reason === 'string' && reason !== '') reasons.add(reason)
  }
  const log: Logger = { ...silentLogger, warning: heard, error: heard, in: () => log }
  return log
}

function tell(engine: ReturnType<typeof revive>, from: number, bytes: Uint8Array): { readonly effects: readonly string[]; readonly returned: unknown } {
  try {
    return engine.tell((instance) => instance.onMessage?.(from, bytes))
  } catch (cause) {
    throw new ContractViolation(`expected that hostile bytes are dropped; onMessage threw '${String(cause)}' for ${hex(bytes)} of member ${from}`)
  }
}

/** The lives of all instances in runs with faults. */
async function record<O>(factory: EngineFactory<O>, options: unknown, members: number, seeds: readonly number[]): Promise<Recording[]> {
  const recordings: Recording[] = []
  for (const seed of seeds) {
    const { failure } = await playScenario({ factory: recordEngine(factory, recordings), options }, plan(factory, members, seed))
    if (failure)
      throw failureOf({ kind: failure.kind, statement: `the run in which this is looked for fails already (seed ${seed}): ${failure.statement}` }, '')
  }
  return recordings
}

function firstSeeds(asked: number, enough: number): number[] {
  return Array.from({ length: Math.min(asked, enough) }, (_, index) => index + 1)
}

function plan(factory: EngineFactory, members: number, seed: number): Scenario {
  return planScenario({
    seed,
    members,
    tolerates: factory.tolerates(members),
    faults: members === 1 ? ['kill', 'power'] : faultKinds('inside'),
  })
}

function require(condition: boolean, expectation: string): void {
  if (!condition) throw new ContractViolation(`expected ${expectation}`)
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex') || 'no bytes'
}
