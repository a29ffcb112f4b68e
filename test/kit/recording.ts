import { messageOf } from '../../kernel/index.js'
import type { Engine, EngineFactory, EngineHost, EngineStart, Head, Member, MemberIndex } from '../../plugins/consensus/index.js'
import { ask, describeEffect, effectHost, type EngineEffect } from './engine-effects.js'
import { describeLifeEvent, type LifeEvent, tapEvents, tell } from './engine-events.js'
import { factoryWith } from './factory-with.js'

/** One call of a handler: what the engine could read, and what it asked for. */
export interface RecordedCall {
  readonly event: LifeEvent
  /** Logical time in milliseconds since 1970. */
  readonly now: number
  readonly head: Head
  /** What `host.random()` gave, in order. */
  readonly randoms: number[]
  /** What it asked for, in order, one line each. */
  readonly effects: string[]
}

/** The life of one engine instance. The first call is `create`. */
export interface Recording {
  readonly self: MemberIndex
  readonly members: readonly Member[]
  readonly deliveryWindow: number
  readonly start: EngineStart
  readonly calls: RecordedCall[]
}

/** Where an instance first asks for something else than the recorded one. */
export interface Difference {
  readonly member: MemberIndex
  /** Position among the calls of the recording, from 0. */
  readonly call: number
  readonly event: LifeEvent
  /** Undefined: it asked for nothing more. */
  readonly recorded: string | undefined
  readonly found: string | undefined
  /** All of it in words. */
  readonly text: string
}

/**
 * An engine that behaves as the given one; the life of each instance that is made goes into `recordings`. `describe` says an effect in a line; left out, in the words
 * that `replay` compares with.
 */
export function recordEngine<O>(
  factory: EngineFactory<O>,
  recordings: Recording[],
  describe: (effect: EngineEffect) => string = describeEffect,
): EngineFactory<O> {
  return factoryWith(factory, (host, options, start) => {
    const { self, members, deliveryWindow } = host
    const recording: Recording = { self, members, deliveryWindow, start, calls: [] }
    recordings.push(recording)
    const begin = (event: LifeEvent): void => void recording.calls.push({ event, now: host.now, head: host.head, randoms: [], effects: [] })
    begin({ type: 'create' })
    return tapEvents(factory.create(recordingHost(host, recording, describe), options, start), begin)
  })
}

/**
 * Gives a new instance the events of a recording, with the same times and random numbers. Returns the first effect that differs, undefined if there is
 * none. An engine that throws differs.
 */
export function replay<O>(factory: EngineFactory<O>, options: O, recording: Recording): Difference | undefined {
  const instance = new Replay(recording)
  let engine: Engine | undefined
  for (const [index, call] of recording.calls.entries()) {
    const where = { member: recording.self, call: index, event: call.event }
    try {
      if (engine === undefined) engine = instance.run(call, () => factory.create(instance.host, options, recording.start))
      else instance.run(call, () => engine && tell(engine, call.event))
    } catch (error) {
      return differ(where, call.effects[instance.effects.length], `throwing '${messageOf(error)}'`)
    }
    const found = instance.difference(call)
    if (found) return differ(where, found.recorded, found.found)
  }
  return undefined
}

/** An instance that has lived through a recording, to be told more: returns what it asks for. */
export function revive<O>(
  factory: EngineFactory<O>,
  options: O,
  recording: Recording,
): { readonly tell: (tell: (engine: Engine) => unknown) => { readonly effects: readonly string[]; readonly returned: unknown } } {
  const instance = new Replay(recording)
  const [created, ...calls] = recording.calls
  const last = recording.calls.at(-1)
  if (created === undefined || last === undefined) throw new RangeError('expected a recording of an instance that was created')
  const engine = instance.run(created, () => factory.create(instance.host, options, recording.start))
  for (const call of calls) instance.run(call, () => tell(engine, call.event))
  return {
    tell: (handler) => {
      const returned = instance.run({ ...last, randoms: [] }, () => handler(engine))
      return { returned, effects: instance.effects }
    },
  }
}

/** An instance that lives through a recording which still grows: each call tells it what came since the last one. Each message is in much memory of its own, so that keeping one shows. */
export function follow<O>(factory: EngineFactory<O>, options: O, recording: Recording): () => void {
  const instance = new Replay(recording, () => undefined)
  let engine: Engine | undefined
  let told = 0
  return () => {
    for (; told < recording.calls.length; told += 1) {
      const call = recording.calls[told]
      if (call === undefined) return
      if (engine === undefined) engine = instance.run(call, () => factory.create(instance.host, options, recording.start))
      else instance.run(call, () => engine && tell(engine, inOwnMemory(call.event)))
    }
  }
}

/** Above what `detached` takes for not worth a copy. */
const MEMORY_OF_A_MESSAGE = 16 * 1024

function inOwnMemory(event: LifeEvent): LifeEvent {
  if (event.type !== 'message') return event
  const { length } = event.bytes
  const bytes = new Uint8Array(Math.max(MEMORY_OF_A_MESSAGE, 3 * length)).subarray(0, length)
  bytes.set(event.bytes)
  return { ...event, bytes }
}

type Moment = Pick<RecordedCall, 'now' | 'head' | 'randoms'>

class Replay {
  #call: Moment
  #drawn = 0
  effects: string[] = []
  readonly host: EngineHost

  constructor({ self, members, deliveryWindow, calls, start }: Recording, asked?: (effect: EngineEffect) => void) {
    this.#call = calls[0] ?? { now: 0, head: start.head, randoms: [] }
    const call = (): Moment => this.#call
    this.host = effectHost(
      {
        self,
        members,
        deliveryWindow,
        get head() {
          return call().head
        },
        get now() {
          return call().now
        },
        random: () => call().randoms[this.#drawn++] ?? 0.5,
      },
      asked ?? ((effect) => void this.effects.push(describeEffect(effect))),
    )
  }

  run<T>(call: RecordedCall, handler: () => T): T {
    this.#call = call
    this.#drawn = 0
    this.effects = []
    return handler()
  }

  difference({ effects, randoms }: RecordedCall): Pick<Difference, 'recorded' | 'found'> | undefined {
    const at = Array.from({ length: Math.max(effects.length, this.effects.length) }, (_, index) => index).find(
      (index) => effects[index] !== this.effects[index],
    )
    if (at !== undefined) return { recorded: effects[at], found: this.effects[at] }
    return this.#drawn === randoms.length ? undefined : { recorded: `${randoms.length} random numbers`, found: `${this.#drawn} random numbers` }
  }
}

function differ(where: Pick<Difference, 'member' | 'call' | 'event'>, recorded: string | undefined, found: string | undefined): Difference {
  const text = `vp${where.member}, call ${where.call} (${describeLifeEvent(where.event)}): asked for ${recorded ?? 'nothing more'} when it was recorded, and for ${found ?? 'nothing more'} now`
  return { ...where, recorded, found, text }
}

function recordingHost(host: EngineHost, { calls }: Recording, describe: (effect: EngineEffect) => string): EngineHost {
  const reads = {
    self: host.self,
    members: host.members,
    deliveryWindow: host.deliveryWindow,
    get head() {
      return host.head
    },
    get now() {
      return host.now
    },
    random() {
      const drawn = host.random()
      calls.at(-1)?.randoms.push(drawn)
      return drawn
    },
  }
  return effectHost(reads, (effect) => {
    calls.at(-1)?.effects.push(describe(effect))
    ask(host, effect)
  })
}
