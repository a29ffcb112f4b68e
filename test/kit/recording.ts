import type { Engine, EngineFactory, EngineHost, EngineStart, Head, Member, MemberIndex } from '../../plugins/consensus/index.js'

/** One call of a handler: what the engine could read, and what it asked for. */
export interface RecordedCall {
  /** The event in words. */
  readonly what: string
  /** Calls the handler again, of another instance. */
  readonly repeat: (engine: Engine) => unknown
  readonly now: number
  readonly head: Head
  /** What `host.random()` gave, in order. */
  readonly randoms: number[]
  /** What it asked for, in order, as text. */
  readonly effects: string[]
  /** Of a message: its bytes. */
  readonly message?: Uint8Array
}

/** The life of one engine instance. The first call is `create`. */
export interface Recording {
  readonly self: MemberIndex
  readonly members: readonly Member[]
  readonly deliveryWindow: number
  readonly start: EngineStart
  readonly calls: RecordedCall[]
}

/** An engine that behaves as the given one; the life of each instance that is made goes into `recordings`. */
export function recordEngine<O>(factory: EngineFactory<O>, recordings: Recording[]): EngineFactory<O> {
  return {
    name: factory.name,
    version: factory.version,
    agreement: factory.agreement,
    tolerates: (n) => factory.tolerates(n),
    parseOptions: (raw) => factory.parseOptions(raw),
    create(host, options, start) {
      const { self, members, deliveryWindow } = host
      const recording: Recording = { self, members, deliveryWindow, start, calls: [] }
      recordings.push(recording)
      const begin = (what: string, repeat: RecordedCall['repeat'], message?: Uint8Array): void => {
        recording.calls.push({ what, repeat, now: host.now, head: host.head, randoms: [], effects: [], ...(message ? { message } : {}) })
      }
      begin('create', () => undefined)
      const inner = factory.create(recordingHost(host, recording), options, start)
      return recordingEngine(inner, begin)
    },
  }
}

/**
 * Gives a new instance the events of a recording, with the same times and random numbers. Returns the first call whose effects differ, in words; undefined if
 * there is none. Throws what the engine throws.
 */
export function replay<O>(factory: EngineFactory<O>, options: O, recording: Recording): string | undefined {
  const instance = new Replay(recording)
  const [created, ...calls] = recording.calls
  if (created === undefined) return undefined
  const engine = instance.run(created, () => factory.create(instance.host, options, recording.start))
  let difference = instance.difference(created)
  for (const call of calls) {
    if (difference !== undefined) break
    instance.run(call, () => call.repeat(engine))
    difference = instance.difference(call)
  }
  return difference
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
  for (const call of calls) instance.run(call, () => call.repeat(engine))
  return {
    tell: (tell) => {
      const returned = instance.run({ ...last, randoms: [] }, () => tell(engine))
      return { returned, effects: instance.effects }
    },
  }
}

class Replay {
  #call: RecordedCall
  #drawn = 0
  effects: string[] = []
  readonly host: EngineHost

  constructor({ self, members, deliveryWindow, calls, start }: Recording) {
    this.#call = calls[0] ?? { what: 'create', repeat: () => undefined, now: 0, head: start.head, randoms: [], effects: [] }
    const call = (): RecordedCall => this.#call
    this.host = tapHost(
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
      (name, args) => void this.effects.push(describeEffect(name, args)),
    )
  }

  run<T>(call: RecordedCall, handler: () => T): T {
    this.#call = call
    this.#drawn = 0
    this.effects = []
    return handler()
  }

  difference({ what, effects, randoms }: RecordedCall): string | undefined {
    if (this.#drawn !== randoms.length) return `${what}: drew ${randoms.length} random numbers first and ${this.#drawn} in the repetition`
    const at = effects.findIndex((effect, index) => effect !== this.effects[index])
    if (at >= 0) return `${what}: asked for ${effects[at]} first and for ${this.effects[at] ?? 'nothing'} in the repetition`
    return this.effects.length === effects.length ? undefined : `${what}: asked in the repetition also for ${this.effects[effects.length]}`
  }
}

type Reads = Pick<EngineHost, 'self' | 'members' | 'head' | 'deliveryWindow' | 'now' | 'random'>
type EffectName = Exclude<keyof EngineHost, keyof Reads>

function recordingHost(host: EngineHost, { calls }: Recording): EngineHost {
  const reads: Reads = {
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
  return tapHost(reads, (name, args, forward) => {
    calls.at(-1)?.effects.push(describeEffect(name, args))
    forward(host)
  })
}

/** A host whose effects go through `tap`. */
function tapHost(reads: Reads, tap: (name: EffectName, args: readonly unknown[], forward: (host: EngineHost) => void) => void): EngineHost {
  return {
    self: reads.self,
    members: reads.members,
    deliveryWindow: reads.deliveryWindow,
    get head() {
      return reads.head
    },
    get now() {
      return reads.now
    },
    random: () => reads.random(),
    send: (...args) => tap('send', args, (host) => host.send(...args)),
    broadcast: (...args) => tap('broadcast', args, (host) => host.broadcast(...args)),
    put: (...args) => tap('put', args, (host) => host.put(...args)),
    delete: (...args) => tap('delete', args, (host) => host.delete(...args)),
    deliver: (...args) => tap('deliver', args, (host) => host.deliver(...args)),
    execute: (...args) => tap('execute', args, (host) => host.execute(...args)),
    commit: (...args) => tap('commit', args, (host) => host.commit(...args)),
    rollback: () => tap('rollback', [], (host) => host.rollback()),
    transferTo: (...args) => tap('transferTo', args, (host) => host.transferTo(...args)),
    setValid: (...args) => tap('setValid', args, (host) => host.setValid(...args)),
    setTimer: (...args) => tap('setTimer', args, (host) => host.setTimer(...args)),
    cancelTimer: (...args) => tap('cancelTimer', args, (host) => host.cancelTimer(...args)),
    sign: (...args) => tap('sign', args, (host) => host.sign(...args)),
    verify: (...args) => tap('verify', args, (host) => host.verify(...args)),
    forget: (...args) => tap('forget', args, (host) => host.forget(...args)),
    status: (...args) => tap('status', args, (host) => host.status(...args)),
    metric: (...args) => tap('metric', args, (host) => host.metric(...args)),
    log: (...args) => tap('log', args, (host) => host.log(...args)),
    halt: (...args) => tap('halt', args, (host) => host.halt(...args)),
  }
}

function recordingEngine(inner: Engine, begin: (what: string, repeat: (engine: Engine) => unknown, message?: Uint8Array) => void): Engine {
  const told = (what: string, call: (engine: Engine) => unknown, message?: Uint8Array): void => {
    begin(what, call, message)
    // As it is: the host wants to see a promise that a handler returns.
    const returned: unknown = call(inner)
    if (returned instanceof Promise) throw new TypeError(`the handler of ${what} returned a promise: handlers are synchronous`)
  }
  return {
    onRequest: (request) => told(`request ${request.id.slice(0, 12)}`, (engine) => engine.onRequest?.(request)),
    onMessage: (from, bytes) => told(`message of member ${from}`, (engine) => engine.onMessage?.(from, bytes), bytes),
    onPeer: (member, up) => told(`member ${member} ${up ? 'up' : 'down'}`, (engine) => engine.onPeer?.(member, up)),
    onTimer: (name) => told(`timer '${name}'`, (engine) => engine.onTimer?.(name)),
    onExecuted: (tag, result) => told(`executed '${tag}'`, (engine) => engine.onExecuted?.(tag, result)),
    onDelivered: (tag, block) => told(`delivered '${tag}'`, (engine) => engine.onDelivered?.(tag, block)),
    onTransferred: (result) => told(`transferred ${result.reached}`, (engine) => engine.onTransferred?.(result)),
    onSigned: (token, signature) => told('signed', (engine) => engine.onSigned?.(token, signature)),
    onVerified: (token, verdicts) => told('verified', (engine) => engine.onVerified?.(token, verdicts)),
    onSealed: (height) => told(`sealed at ${height}`, (engine) => engine.onSealed?.(height)),
    dispose: () => told('dispose', (engine) => engine.dispose?.()),
  }
}

function describeEffect(name: string, args: readonly unknown[]): string {
  const plain = (_: string, value: unknown): unknown =>
    typeof value === 'bigint' ? `${value}n` : value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
  // A Buffer would turn itself into an object before `plain` sees it.
  const withoutBuffers = (value: unknown): unknown => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
    if (Array.isArray(value)) return value.map(withoutBuffers)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutBuffers(inner)]))
  }
  return `${name}(${args.map((arg) => JSON.stringify(withoutBuffers(arg), plain) ?? 'undefined').join(', ')})`
}
