import { assert } from '../../../kernel/index.js'
import type { Effect } from '../engine/effects.js'
import type { EngineHost, Head, Member, MemberIndex } from '../engine/engine.js'
import {
  checkBoolean,
  checkBytes,
  checkDelay,
  checkIds,
  checkItems,
  checkKey,
  checkLevel,
  checkMetadata,
  checkNumber,
  checkPuts,
  checkRequests,
  checkTarget,
  checkText,
  checkView,
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

const NO_EFFECTS: readonly Effect[] = Object.freeze([])

/** Makes the host that an engine sees. Its calls throw ERR_BROKEN_INVARIANT outside a handler and for arguments that make no sense. */
export function createRecorder(options: RecorderOptions): EffectRecorder {
  const { self, members, maxEffects = Number.POSITIVE_INFINITY } = options
  let effects: Effect[] = []
  let running = false
  let now = 0
  const record = (effect: Effect): void => {
    // The text is made for a failure only: this is called for every effect.
    if (!running) assert(false, `engines ask for effects inside handlers only; '${effect.type}' was asked for outside`)
    if (effects.length >= maxEffects) throw new RangeError(`a handler may ask for ${maxEffects} effects; it asked for more`)
    effects.push(effect)
  }
  const host: EngineHost = {
    self,
    members,
    deliveryWindow: options.deliveryWindow,
    get head() {
      return recorder.head
    },
    get now() {
      assert(running, 'host.now is read inside handlers only')
      return now
    },
    random() {
      assert(running, 'host.random() is called inside handlers only')
      return options.random()
    },
    send(to, bytes, { vote } = {}) {
      checkBytes('send', bytes)
      if (to === self || !Number.isInteger(to) || members[to] === undefined)
        assert(false, `send() goes to another member, 0..${members.length - 1} without ${self}; found ${to}`)
      record({ type: 'send', to, bytes, vote })
    },
    broadcast(bytes, { vote } = {}) {
      checkBytes('broadcast', bytes)
      record({ type: 'broadcast', bytes, vote })
    },
    put(key, bytes) {
      checkBytes('put', bytes)
      record({ type: 'record', record: [checkKey('put', key), bytes] })
    },
    delete: (key) => record({ type: 'record', record: [checkKey('delete', key), undefined] }),
    deliver(tag, requests, { metadata, put = [] } = {}) {
      checkText('deliver', 'a tag', tag)
      checkRequests('deliver', requests)
      checkMetadata('deliver', metadata)
      checkPuts(put)
      record({ type: 'deliver', tag, requests, metadata, put })
    },
    execute(tag, requests) {
      checkText('execute', 'a tag', tag)
      checkRequests('execute', requests)
      record({ type: 'execute', tag, requests })
    },
    commit(tag, metadata) {
      checkText('commit', 'a tag', tag)
      checkMetadata('commit', metadata)
      record({ type: 'commit', tag, metadata })
    },
    rollback: () => record({ type: 'rollback' }),
    transferTo(target) {
      checkTarget(target)
      record({ type: 'transfer', target })
    },
    setValid(valid) {
      checkBoolean('setValid', valid)
      record({ type: 'valid', valid })
    },
    setTimer(name, delayMs) {
      checkDelay(name, delayMs)
      record({ type: 'timer', name, delayMs })
    },
    cancelTimer(name) {
      checkText('cancelTimer', 'a name', name)
      record({ type: 'cancel-timer', name })
    },
    sign(token, bytes) {
      checkText('sign', 'a token', token)
      checkBytes('sign', bytes)
      record({ type: 'sign', token, bytes })
    },
    verify(token, items) {
      checkText('verify', 'a token', token)
      checkItems(items)
      record({ type: 'verify', token, items })
    },
    forget(ids) {
      checkIds(ids)
      record({ type: 'forget', ids })
    },
    status(view) {
      checkView(view)
      record({ type: 'status', view })
    },
    metric(name, value) {
      checkText('metric', 'a name', name)
      checkNumber('metric', value)
      record({ type: 'metric', name, value })
    },
    log(level, message) {
      checkLevel(level)
      checkText('log', 'a message', message)
      record({ type: 'log', level, message })
    },
    halt(reason) {
      checkText('halt', 'a reason', reason)
      record({ type: 'halt', reason })
    },
  }
  const recorder: EffectRecorder = {
    host: Object.freeze(host),
    head: options.head,
    begin(time) {
      assert(!running, 'handlers run one at a time, never re-entrantly')
      running = true
      now = time
    },
    end() {
      running = false
      if (effects.length === 0) return NO_EFFECTS
      const recorded = effects
      effects = []
      return recorded
    },
  }
  return recorder
}
