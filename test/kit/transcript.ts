import { PeerError } from '../../kernel/index.js'
import type { Engine, EngineFactory, EngineHost, EngineStart, Head, Member, MemberIndex, RequestId } from '../../plugins/consensus/index.js'
import { decoded, describeDecoded, effectHost, type EngineEffect, inWords, shortHex } from './engine-effects.js'
import { describeLifeEvent, type LifeEvent, type ScriptedEvent, tell } from './engine-events.js'
import { quickHash } from './quick-hash.js'
import { createRandom } from './random.js'

/** How the one instance of a transcript begins. All optional. */
export interface TranscriptOptions {
  /** The validator that the instance runs on. Default 0. */
  readonly self?: MemberIndex
  /** How many validators there are. Default 4. */
  readonly members?: number
  /** As a site writes them. */
  readonly options?: unknown
  /** Seeds what the engine draws. Default 1. */
  readonly seed?: number
  /** Logical time at the start, in milliseconds. Default 1,000,000. */
  readonly now?: number
  /** Default: a genesis block. */
  readonly head?: Head
  /** Consensus metadata of the head block. Default: none. */
  readonly metadata?: Uint8Array
  /** Records of an earlier life. Default: none. */
  readonly restored?: ReadonlyMap<string, Uint8Array>
  /** Requests that are in the chain. Default: none. */
  readonly executed?: readonly RequestId[]
  /** Default 8. */
  readonly deliveryWindow?: number
  /** What a message or a record means, for `decoded` in patterns and for what is printed; bytes that it throws for, or gives undefined for, are shown in hex. */
  readonly decode?: (bytes: Uint8Array) => unknown
}

type Expected<T> = T | ((found: T) => boolean)

/**
 * What an effect has to be: its `type`, and those of its fields that are given: a value (of objects the named fields), or a function that says whether it
 * will do. `decoded` is compared with what `decode` makes of its bytes.
 */
export type EffectPattern = {
  [T in EngineEffect['type']]: { readonly type: T; readonly decoded?: unknown } & {
    readonly [K in Exclude<keyof Extract<EngineEffect, { type: T }>, 'type'>]?: Expected<Extract<EngineEffect, { type: T }>[K]>
  }
}[EngineEffect['type']]

/** Said, not asked for: compared only where a pattern names one of their type. */
const ASIDES: ReadonlySet<string> = new Set(['log', 'metric', 'status'])

const GENESIS: Head = { height: 1n, hash: quickHash(Buffer.from('genesis')), blob: new Uint8Array() }

/** An engine asked for something else than it was expected to; the message has all expected (-) and found (+) effects. */
export class TranscriptMismatch extends PeerError {
  constructor(message: string) {
    super('ERR_TRANSCRIPT', message)
    this.name = 'TranscriptMismatch'
  }
}

/**
 * One instance of an engine whose host is the test: tell it something, and say what it has to ask for.
 *
 * @example
 * transcript(raft, { self: 1, members: 3, options: { electionMs: 200 }, decode: readMessage })
 *   .expect({ type: 'setTimer', name: 'election' })
 *   .on({ type: 'timer', name: 'election' })
 *   .expect(
 *     { type: 'put', key: 'term' },
 *     { type: 'broadcast', decoded: { type: 'vote?', term: 1 } },
 *     { type: 'setTimer', name: 'election', delayMs: (ms) => ms >= 200 },
 *   )
 *   .restart()
 */
export function transcript<O>(factory: EngineFactory<O>, options: TranscriptOptions = {}): Transcript {
  const parsed = factory.parseOptions(options.options)
  return new Transcript((host, start) => factory.create(host, parsed, start), options)
}

/** See `transcript`. */
export class Transcript {
  readonly #members: readonly Member[]
  readonly #random: () => number
  readonly #records: Map<string, Uint8Array>
  readonly #timers = new Set<string>()
  /** Deliveries and commits that wait for an answer, by tag: the records that their block brings. */
  readonly #deliveries = new Map<string, readonly (readonly [string, Uint8Array])[]>()
  readonly #lines: string[] = []
  #engine: Engine
  #effects: EngineEffect[] = []
  #event: LifeEvent = { type: 'create' }
  #head: Head
  #now: number
  #step = 0
  #halted: string | undefined

  constructor(
    private readonly create: (host: EngineHost, start: EngineStart) => Engine,
    private readonly options: TranscriptOptions,
  ) {
    this.#members = Array.from({ length: options.members ?? 4 }, (_, index) => ({ index, id: `vp${index}` }))
    this.#random = createRandom(options.seed ?? 1).next
    this.#records = new Map(options.restored)
    this.#head = options.head ?? GENESIS
    this.#now = options.now ?? 1_000_000
    this.#engine = this.#make(options.metadata)
  }

  /** What the last event made the engine ask for; of `create` at first. */
  get effects(): readonly EngineEffect[] {
    return this.#effects
  }

  /** All events and effects so far, one a line: for snapshots. */
  get text(): string {
    return `${this.#lines.join('\n')}\n`
  }

  /** What is stored: every `put` that was not deleted. */
  get records(): ReadonlyMap<string, Uint8Array> {
    return this.#records
  }

  /**
   * Tells the engine something. Throws a TranscriptMismatch if that cannot happen (a timer that is not set, an engine that has halted), or if a handler returns a
   * promise; and what the engine throws.
   */
  on(event: ScriptedEvent): this {
    if (event.type === 'timer' && !this.#timers.delete(event.name))
      throw this.#mismatch(`timer '${event.name}' is not set (set: ${[...this.#timers].join(', ') || 'none'}), so it cannot run out`)
    if (event.type === 'delivered') {
      const records = this.#deliveries.get(event.tag)
      if (!records)
        throw this.#mismatch(`nothing with the tag '${event.tag}' waits for a block (waiting: ${[...this.#deliveries.keys()].join(', ') || 'none'})`)
      this.#deliveries.delete(event.tag)
      if (event.block !== 'skipped') for (const [key, value] of records) this.#records.set(key, value)
    }
    if (event.type === 'delivered' && event.block !== 'skipped') this.#head = event.block.head
    if (event.type === 'transferred' && event.result.reached) this.#head = event.result.head
    return this.#tell(event)
  }

  /** The delivery or commit with this tag becomes the next block. `rejected`: requests whose execution failed. */
  block(tag: string, rejected: readonly RequestId[] = []): this {
    const number = this.#head.height
    const hash = quickHash(this.#head.hash, Buffer.from(tag))
    const head: Head = { height: number + 1n, hash, blob: hash }
    return this.on({ type: 'delivered', tag, block: { number, hash, stateHash: quickHash(hash), head, ...(rejected.length > 0 ? { rejected } : {}) } })
  }

  /** Time passes; timers run out only when they are told to. */
  wait(ms: number): this {
    this.#now += ms
    return this
  }

  /** The power goes and comes back: a new instance gets what was `put`; timers, deliveries and everything in memory are gone. */
  restart(metadata?: Uint8Array): this {
    this.#timers.clear()
    this.#deliveries.clear()
    this.#halted = undefined
    this.#engine = this.#make(metadata)
    return this
  }

  /**
   * The last event (`create` at first) made the engine ask for exactly these, in this order. Log lines, metrics and status count only if one of their type is expected.
   * Throws a TranscriptMismatch.
   */
  expect(...patterns: readonly EffectPattern[]): this {
    const named = new Set<string>(patterns.map(({ type }) => type))
    const found = this.#effects.filter(({ type }) => named.has(type) || !ASIDES.has(type))
    const isEqual = found.length === patterns.length && patterns.every((pattern, index) => this.#isLike(found[index], pattern))
    if (!isEqual) throw this.#mismatch(`expected other effects\n${this.#compare(patterns, found)}`)
    return this
  }

  /** Among what the last event made the engine ask for are these, in whatever order. Throws a TranscriptMismatch. */
  expectAmong(...patterns: readonly EffectPattern[]): this {
    const missing = patterns.filter((pattern) => !this.#effects.some((effect) => this.#isLike(effect, pattern)))
    if (missing.length > 0) throw this.#mismatch(`expected also other effects\n${this.#compare(missing, this.#effects)}`)
    return this
  }

  #make(metadata: Uint8Array | undefined): Engine {
    const { self = 0, seed = 1, executed = [] } = this.options
    const [head, now] = [(): Head => this.#head, (): number => this.#now]
    const host = effectHost(
      {
        self,
        members: this.#members,
        deliveryWindow: this.options.deliveryWindow ?? 8,
        get head() {
          return head()
        },
        get now() {
          return now()
        },
        random: () => this.#random(),
      },
      (effect) => this.#asked(effect),
    )
    const start: EngineStart = { epoch: 0n, head: this.#head, metadata, restored: new Map(this.#records), members: this.#members, executed, seed: BigInt(seed) }
    this.#begin({ type: 'create' })
    const engine = this.create(host, start)
    this.#end()
    return engine
  }

  #tell(event: LifeEvent): this {
    if (this.#halted !== undefined) throw this.#mismatch(`it has halted (${this.#halted}): nobody tells it of ${describeLifeEvent(event)}`)
    this.#begin(event)
    const returned = tell(this.#engine, event)
    this.#end()
    if (returned instanceof Promise) throw this.#mismatch('its handler returned a promise: handlers are synchronous')
    return this
  }

  #begin(event: LifeEvent): void {
    this.#event = event
    this.#effects = []
    this.#step += 1
  }

  #end(): void {
    this.#lines.push(
      describeLifeEvent(this.#event, (bytes) => this.#decode(bytes)),
      ...this.#effects.map((effect) => `    ${this.#show(effect)}`),
    )
  }

  #asked(effect: EngineEffect): void {
    this.#effects.push(effect)
    if (effect.type === 'put') this.#records.set(effect.key, effect.bytes)
    else if (effect.type === 'delete') this.#records.delete(effect.key)
    else if (effect.type === 'setTimer') this.#timers.add(effect.name)
    else if (effect.type === 'cancelTimer') this.#timers.delete(effect.name)
    else if (effect.type === 'deliver') this.#deliveries.set(effect.tag, effect.put ?? [])
    else if (effect.type === 'commit') this.#deliveries.set(effect.tag, [])
    else if (effect.type === 'halt') this.#halted = effect.reason
  }

  #isLike(effect: EngineEffect | undefined, { decoded, ...pattern }: EffectPattern): boolean {
    if (effect === undefined || !isLike(effect, pattern)) return false
    if (decoded === undefined) return true
    return 'bytes' in effect && isLike(this.#decode(effect.bytes), decoded)
  }

  /** What both have in common, what is missing (-), what is too much (+). */
  #compare(patterns: readonly EffectPattern[], found: readonly EngineEffect[]): string {
    const lengths: number[][] = Array.from({ length: patterns.length + 1 }, () => Array.from({ length: found.length + 1 }, () => 0))
    const at = (p: number, f: number): number => lengths[p]?.[f] ?? 0
    const isSame = (p: number, f: number): boolean => patterns[p] !== undefined && this.#isLike(found[f], patterns[p])
    for (let p = patterns.length - 1; p >= 0; p -= 1) {
      const row = lengths[p] ?? []
      for (let f = found.length - 1; f >= 0; f -= 1) row[f] = isSame(p, f) ? at(p + 1, f + 1) + 1 : Math.max(at(p + 1, f), at(p, f + 1))
    }
    const lines: string[] = []
    let [p, f] = [0, 0]
    while (p < patterns.length || f < found.length) {
      const [pattern, effect] = [patterns[p], found[f]]
      if (effect && pattern && isSame(p, f)) {
        lines.push(`    ${this.#show(effect)}`)
        p += 1
        f += 1
      } else if (pattern && (!effect || at(p + 1, f) >= at(p, f + 1))) {
        lines.push(`  - ${this.#showPattern(pattern)}`)
        p += 1
      } else if (effect) {
        lines.push(`  + ${this.#show(effect)}`)
        f += 1
      }
    }
    return lines.length > 0 ? lines.join('\n') : '    (nothing)'
  }

  /** Undefined for bytes that mean nothing to `decode`: it may throw. */
  #decode(bytes: Uint8Array): unknown {
    return decoded(bytes, this.options.decode)
  }

  #show(effect: EngineEffect): string {
    return describeDecoded(effect, (bytes) => this.#decode(bytes))
  }

  #showPattern({ type, ...fields }: EffectPattern): string {
    const parts = Object.entries(fields).map(([name, value]) => `${name}=${typeof value === 'function' ? '(as the test says)' : inWords(value, shortHex)}`)
    return [type, ...parts].join(' ')
  }

  #mismatch(what: string): TranscriptMismatch {
    return new TranscriptMismatch(`step ${this.#step}, ${describeLifeEvent(this.#event, (bytes) => this.#decode(bytes))}: ${what}`)
  }
}

/** Whether `found` has everything that `wanted` names. */
function isLike(found: unknown, wanted: unknown): boolean {
  if (typeof wanted === 'function') return wanted(found) === true
  if (wanted instanceof Uint8Array) return found instanceof Uint8Array && Buffer.compare(found, wanted) === 0
  if (Array.isArray(wanted)) return Array.isArray(found) && found.length === wanted.length && wanted.every((item, index) => isLike(found[index], item))
  if (typeof wanted !== 'object' || wanted === null) return Object.is(found, wanted)
  if (typeof found !== 'object' || found === null) return false
  const fields = new Map<string, unknown>(Object.entries(found))
  return Object.entries(wanted).every(([key, value]) => isLike(fields.get(key), value))
}
