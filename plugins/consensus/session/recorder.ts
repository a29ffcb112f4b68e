import { assert } from '../../../kernel/index.js'
import type { Effect } from '../engine/effects.js'
import type { EngineHost, Head, Member, MemberIndex } from '../engine/engine.js'
import { misuse } from '../engine/misuse.js'
import {
  checkBoolean,
  checkBytes,
  checkDelay,
  checkIds,
  checkItems,
  checkKey,
  checkLevel,
  checkMetadata,
  checkMetric,
  checkPuts,
  checkRequests,
  checkTarget,
  checkText,
  checkView,
  checkVote,
  checkWord,
} from './effect-arguments.js'

/** Records what an engine asks for while one of its handlers runs. */
export interface EffectRecorder {
  /** What the engine is given. */
  readonly host: EngineHost
  /** The head that the engine sees; moves between handlers only. */
  head: Head
  /** A handler begins at this logical time. */
  begin(now: number): void
  /** The handler returned: its effects in order. The same array is reused when it was empty. */
  end(): readonly Effect[]
}

export interface RecorderOptions {
  readonly self: MemberIndex
  readonly members: readonly Member[]
  readonly head: Head
  readonly deliveryWindow: number
  readonly random: () => number
  /** Effects of one handler; one more throws. Default: any number. */
  readonly maxEffects?: number
}

/** Of effects that are not called as the function that asks for them. */
const CALL_NAMES: { readonly [Type in Effect['type']]?: string } = {
  record: 'put() or delete',
  valid: 'setValid',
  timer: 'setTimer',
  'cancel-timer': 'cancelTimer',
  transfer: 'transferTo',
}
const MOST_HELD = 32
const NO_EFFECTS: readonly Effect[] = Object.freeze([])

/** Makes the host that an engine sees. Its calls throw ERR_ENGINE_MISUSE outside a handler and for arguments that make no sense. */
export function createRecorder(options: RecorderOptions): EffectRecorder {
  return new Recorder(options)
}

class Recorder implements EffectRecorder {
  readonly host: EngineHost
  head: Head
  readonly #maxEffects: number
  /** Its places are used again: an array that grows takes room for many more. */
  #effects: Effect[] = []
  #count = 0
  #isRunning = false
  #now = 0

  constructor(options: RecorderOptions) {
    this.head = options.head
    this.#maxEffects = options.maxEffects ?? Number.POSITIVE_INFINITY
    this.host = Object.freeze(new RecordedHost(this, options))
  }

  get now(): number {
    if (!this.#isRunning) outside('host.now was read')
    return this.#now
  }

  random(draw: () => number): number {
    if (!this.#isRunning) outside('host.random() was called')
    return draw()
  }

  record(effect: Effect): void {
    if (!this.#isRunning) outside(`host.${CALL_NAMES[effect.type] ?? effect.type}() was called`)
    if (this.#count >= this.#maxEffects) throw new RangeError(`a handler may ask for ${this.#maxEffects} effects; it asked for more`)
    this.#effects[this.#count++] = effect
  }

  begin(now: number): void {
    assert(!this.#isRunning, 'handlers run one at a time, never re-entrantly')
    this.#isRunning = true
    this.#now = now
  }

  end(): readonly Effect[] {
    this.#isRunning = false
    if (this.#count === 0) return NO_EFFECTS
    const recorded = this.#effects.slice(0, this.#count)
    // What this handler asked for is held until the next one asks for as much.
    if (this.#count > MOST_HELD) this.#effects = []
    this.#count = 0
    return recorded
  }
}

/** What an author has to be told who used the host later than it may be. */
function outside(what: string): never {
  misuse(
    `${what} outside the engine's handlers: the host answers only until the handler that runs returns, so not from a promise, a timer or a callback that comes later, nor after dispose; ask for it inside a handler (setTimer() brings one later)`,
  )
}

const READ_HEAD = Symbol('head')
const READ_NOW = Symbol('now')

/**
 * A class for the sake of its getters: an object literal with getters is a dictionary to V8, slow to call and kept alive by it for long. Its functions are its own, so
 * that an engine may take them out.
 */
class RecordedHost implements EngineHost {
  readonly self: MemberIndex
  readonly members: readonly Member[]
  readonly deliveryWindow: number
  readonly #recorder: Recorder
  readonly #random: () => number

  constructor(recorder: Recorder, { self, members, deliveryWindow, random }: RecorderOptions) {
    this.self = self
    this.members = members
    this.deliveryWindow = deliveryWindow
    this.#recorder = recorder
    this.#random = random
  }

  get head(): Head {
    return this[READ_HEAD]()
  }

  get now(): number {
    return this[READ_NOW]()
  }

  // Who wraps a host, with a proxy or as a prototype, has the getters run on another object, which has no private fields.
  readonly [READ_HEAD] = (): Head => this.#recorder.head
  readonly [READ_NOW] = (): number => this.#recorder.now

  readonly random: EngineHost['random'] = () => this.#recorder.random(this.#random)
  readonly send: EngineHost['send'] = (to, bytes, { vote } = {}) => {
    const { self, members } = this
    checkBytes('send', bytes)
    checkVote('send', vote)
    if (to === self || !Number.isInteger(to) || members[to] === undefined)
      misuse(`send() goes to another member, 0..${members.length - 1} without ${self}; found ${to}`)
    this.#recorder.record({ type: 'send', to, bytes, vote })
  }
  readonly broadcast: EngineHost['broadcast'] = (bytes, { vote } = {}) => {
    checkBytes('broadcast', bytes)
    checkVote('broadcast', vote)
    this.#recorder.record({ type: 'broadcast', bytes, vote })
  }
  readonly put: EngineHost['put'] = (key, bytes) => {
    checkBytes('put', bytes)
    this.#recorder.record({ type: 'record', record: [checkKey('put', key), bytes] })
  }
  readonly delete: EngineHost['delete'] = (key) => this.#recorder.record({ type: 'record', record: [checkKey('delete', key), undefined] })
  readonly deliver: EngineHost['deliver'] = (tag, requests, { metadata, put = [] } = {}) => {
    checkWord('deliver', 'a tag', tag)
    checkRequests('deliver', requests)
    checkMetadata('deliver', metadata)
    checkPuts(put)
    this.#recorder.record({ type: 'deliver', tag, requests, metadata, put })
  }
  readonly execute: EngineHost['execute'] = (tag, requests) => {
    checkWord('execute', 'a tag', tag)
    checkRequests('execute', requests)
    this.#recorder.record({ type: 'execute', tag, requests })
  }
  readonly commit: EngineHost['commit'] = (tag, metadata) => {
    checkWord('commit', 'a tag', tag)
    checkMetadata('commit', metadata)
    this.#recorder.record({ type: 'commit', tag, metadata })
  }
  readonly rollback: EngineHost['rollback'] = () => this.#recorder.record({ type: 'rollback' })
  readonly transferTo: EngineHost['transferTo'] = (target) => {
    checkTarget(target)
    this.#recorder.record({ type: 'transfer', target })
  }
  readonly setValid: EngineHost['setValid'] = (valid) => {
    checkBoolean('setValid', valid)
    this.#recorder.record({ type: 'valid', valid })
  }
  readonly setTimer: EngineHost['setTimer'] = (name, delayMs) => {
    checkDelay(name, delayMs)
    this.#recorder.record({ type: 'timer', name, delayMs })
  }
  readonly cancelTimer: EngineHost['cancelTimer'] = (name) => {
    checkWord('cancelTimer', 'a name', name)
    this.#recorder.record({ type: 'cancel-timer', name })
  }
  readonly sign: EngineHost['sign'] = (token, bytes) => {
    checkWord('sign', 'a token', token)
    checkBytes('sign', bytes)
    this.#recorder.record({ type: 'sign', token, bytes })
  }
  readonly verify: EngineHost['verify'] = (token, items) => {
    checkWord('verify', 'a token', token)
    checkItems(items)
    this.#recorder.record({ type: 'verify', token, items })
  }
  readonly forget: EngineHost['forget'] = (ids) => {
    checkIds(ids)
    this.#recorder.record({ type: 'forget', ids })
  }
  readonly status: EngineHost['status'] = (view) => {
    checkView(view)
    this.#recorder.record({ type: 'status', view })
  }
  readonly metric: EngineHost['metric'] = (name, value) => {
    checkMetric(name, value)
    this.#recorder.record({ type: 'metric', name, value })
  }
  readonly log: EngineHost['log'] = (level, message) => {
    checkLevel(level)
    checkText('log', 'a message', message)
    this.#recorder.record({ type: 'log', level, message })
  }
  readonly halt: EngineHost['halt'] = (reason) => {
    checkText('halt', 'a reason', reason)
    this.#recorder.record({ type: 'halt', reason })
  }
}
