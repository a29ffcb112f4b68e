import {
  createdEngine,
  createRandom,
  createRecorder,
  type Effect,
  type EffectRecorder,
  type Engine,
  type EngineFactory,
  handleEvent,
  headOfEvent,
  isPromise,
} from '../../consensus/index.js'
import { engineFactory } from '../factory.js'
import type { FromEngine, PackedEffect, ToEngine } from '../messages.js'
import type { Channel } from './channel.js'

const MAX_DESCRIPTION_BYTES = 1024 * 1024
const MAX_REASON_CHARACTERS = 1000
const MAX_STATUS_CHARACTERS = 64 * 1024

/** Serves an engine over its pipe: the same calls, in the same order, as where it runs in the peer. */
export function serveEngine(exported: unknown, channel: Channel): void {
  const factory = engineFactory(exported)
  let running: RunningEngine | undefined
  let restored = new Map<string, Uint8Array>()
  channel.receive((message) => {
    switch (message.type) {
      case 'describe':
        channel.send(
          guarded(channel, () => describe(factory, message.tolerancesUpTo)),
          MAX_DESCRIPTION_BYTES,
        )
        break
      case 'check':
        channel.send(check(factory, message), MAX_DESCRIPTION_BYTES)
        break
      case 'records':
        for (const [key, value] of message.records) restored.set(key, value)
        break
      case 'create': {
        const records = restored
        // The engine's own: what it lets go of is gone.
        restored = new Map()
        running = new RunningEngine(message, channel)
        channel.send(
          running.call('create', message.now, (engine) => engine.create(factory, message, records)),
          message.limits.maxAnswerBytes,
        )
        break
      }
      case 'event':
      case 'dispose':
        if (running === undefined) throw new TypeError(`'${message.type}' before 'create'`)
        channel.send(running.tell(message), running.maxAnswerBytes)
        break
    }
  })
}

function describe(factory: EngineFactory, upTo: number): FromEngine {
  const { name, version, agreement } = factory
  const tolerances = Array.from({ length: upTo }, (_, index) => toleranceOf(factory, index + 1))
  return { type: 'description', name, version, agreement, tolerances, checksMembers: typeof factory.checkMembers === 'function' }
}

function toleranceOf(factory: EngineFactory, members: number): readonly [number, number] {
  const said: { readonly crashed?: unknown; readonly byzantine?: unknown } | null | undefined = factory.tolerates(members)
  const { crashed, byzantine } = said ?? {}
  if (isCount(crashed, members) && isCount(byzantine, members)) return [crashed, byzantine]
  throw new TypeError(
    `tolerates(${members}) says how many of ${members} may be crashed, and how many may lie: expected { crashed, byzantine }, whole numbers from 0 and below ${members}; found ${said === null || said === undefined ? String(said) : `{ crashed: ${String(crashed)}, byzantine: ${String(byzantine)} }`}`,
  )
}

function isCount(value: unknown, members: number): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < members
}

function parsedOptions(factory: EngineFactory, options: string): unknown {
  const parsed: unknown = factory.parseOptions(JSON.parse(options))
  if (isPromise(parsed)) throw new TypeError('parseOptions returned a promise: it is synchronous')
  return parsed
}

function check(factory: EngineFactory, { options, members }: Extract<ToEngine, { type: 'check' }>): FromEngine {
  try {
    const parsed = parsedOptions(factory, options)
    if (members) factory.checkMembers?.(parsed, members)
    const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)
    return { type: 'checked', options: JSON.stringify(parsed, plain) ?? 'null' }
  } catch (error) {
    const hint: unknown = error instanceof Error && 'hint' in error ? error.hint : undefined
    return { type: 'refused', message: textOf(error), hint: typeof hint === 'string' ? hint.slice(0, MAX_REASON_CHARACTERS) : undefined }
  }
}

function guarded(channel: Channel, work: () => FromEngine): FromEngine {
  try {
    return work()
  } catch (error) {
    return { type: 'failed', reason: channel.thrown(error) }
  }
}

type CreateMessage = Extract<ToEngine, { type: 'create' }>

class RunningEngine {
  readonly maxAnswerBytes: number
  private readonly recorder: EffectRecorder
  private engine: Engine = {}
  private hasFailed = false

  constructor(
    { self, members, deliveryWindow, start, limits }: CreateMessage,
    private readonly channel: Channel,
  ) {
    this.maxAnswerBytes = limits.maxAnswerBytes
    this.recorder = createRecorder({ self, members, head: start.head, deliveryWindow, random: createRandom(start.seed), maxEffects: limits.maxEffects })
  }

  create(factory: EngineFactory, { options, members, start }: CreateMessage, restored: ReadonlyMap<string, Uint8Array>): void {
    const parsed = parsedOptions(factory, options)
    this.engine = createdEngine(factory.create(this.recorder.host, parsed, { ...start, metadata: start.metadata, members, restored }))
  }

  tell(message: Extract<ToEngine, { type: 'event' | 'dispose' }>): FromEngine {
    if (message.type === 'dispose') return this.call('dispose', message.now, ({ engine }) => engine.dispose?.())
    const { event } = message
    const head = headOfEvent(event)
    if (head) this.recorder.head = head
    return this.call(event.type, message.now, ({ engine }) => handleEvent(engine, event))
  }

  /** Runs one handler; if it throws, nothing that it asked for is carried out, and none runs after it. */
  call(what: string, now: number, handler: (running: RunningEngine) => unknown): FromEngine {
    if (this.hasFailed) return { type: 'effects', effects: [] }
    this.recorder.begin(now)
    try {
      const returned = handler(this)
      const effects = this.recorder.end()
      if (!isPromise(returned)) return { type: 'effects', effects: effects.map(packed) }
      this.hasFailed = true
      return { type: 'failed', reason: `the handler of '${what}' returned a promise: handlers are synchronous` }
    } catch (error) {
      this.recorder.end()
      this.hasFailed = true
      return { type: 'failed', reason: `the engine threw in '${what}': ${this.channel.thrown(error)}` }
    }
  }
}

function packed(effect: Effect): PackedEffect {
  if (effect.type !== 'status') return effect
  const view = JSON.stringify(effect.view) ?? 'null'
  if (view.length > MAX_STATUS_CHARACTERS)
    throw new RangeError(`status() takes what is at most ${MAX_STATUS_CHARACTERS} characters of JSON; found ${view.length}`)
  return { type: 'status', view }
}

function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, MAX_REASON_CHARACTERS)
}
