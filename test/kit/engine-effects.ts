import type { EngineHost, EngineRequest, MemberIndex, RequestId, TransferTarget, VoteMark } from '../../plugins/consensus/index.js'

type Bytes = Uint8Array

/** What an engine asked its host for, as data: `type` is the name of the host's function, the rest are its arguments. */
export type EngineEffect =
  | { readonly type: 'send'; readonly to: MemberIndex; readonly bytes: Bytes; readonly vote?: VoteMark }
  | { readonly type: 'broadcast'; readonly bytes: Bytes; readonly vote?: VoteMark }
  | { readonly type: 'put'; readonly key: string; readonly bytes: Bytes }
  | { readonly type: 'delete'; readonly key: string }
  | {
      readonly type: 'deliver'
      readonly tag: string
      readonly requests: readonly EngineRequest[]
      readonly metadata?: Bytes
      readonly put?: readonly (readonly [key: string, value: Bytes])[]
    }
  | { readonly type: 'execute'; readonly tag: string; readonly requests: readonly EngineRequest[] }
  | { readonly type: 'commit'; readonly tag: string; readonly metadata?: Bytes }
  | { readonly type: 'rollback' }
  | { readonly type: 'transferTo'; readonly target: TransferTarget }
  | { readonly type: 'setValid'; readonly valid: boolean }
  | { readonly type: 'setTimer'; readonly name: string; readonly delayMs: number }
  | { readonly type: 'cancelTimer'; readonly name: string }
  | { readonly type: 'sign'; readonly token: string; readonly bytes: Bytes }
  | { readonly type: 'verify'; readonly token: string; readonly items: Parameters<EngineHost['verify']>[1] }
  | { readonly type: 'forget'; readonly ids: readonly RequestId[] }
  | { readonly type: 'status'; readonly view: Readonly<Record<string, unknown>> }
  | { readonly type: 'metric'; readonly name: string; readonly value: number }
  | { readonly type: 'log'; readonly level: 'error' | 'warning' | 'info' | 'debug'; readonly message: string }
  | { readonly type: 'halt'; readonly reason: string }

/** What an engine may read of its host. */
export type HostReads = Pick<EngineHost, 'self' | 'members' | 'head' | 'deliveryWindow' | 'now' | 'random'>

/** A host that tells `asked` what an engine asks for. */
export function effectHost(reads: HostReads, asked: (effect: EngineEffect) => void): EngineHost {
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
    send: (to, bytes, options) => asked({ type: 'send', to, bytes, ...given('vote', options?.vote) }),
    broadcast: (bytes, options) => asked({ type: 'broadcast', bytes, ...given('vote', options?.vote) }),
    put: (key, bytes) => asked({ type: 'put', key, bytes }),
    delete: (key) => asked({ type: 'delete', key }),
    deliver: (tag, requests, options) => asked({ type: 'deliver', tag, requests, ...given('metadata', options?.metadata), ...given('put', options?.put) }),
    execute: (tag, requests) => asked({ type: 'execute', tag, requests }),
    commit: (tag, metadata) => asked({ type: 'commit', tag, ...given('metadata', metadata) }),
    rollback: () => asked({ type: 'rollback' }),
    transferTo: (target) => asked({ type: 'transferTo', target }),
    setValid: (valid) => asked({ type: 'setValid', valid }),
    setTimer: (name, delayMs) => asked({ type: 'setTimer', name, delayMs }),
    cancelTimer: (name) => asked({ type: 'cancelTimer', name }),
    sign: (token, bytes) => asked({ type: 'sign', token, bytes }),
    verify: (token, items) => asked({ type: 'verify', token, items }),
    forget: (ids) => asked({ type: 'forget', ids }),
    status: (view) => asked({ type: 'status', view }),
    metric: (name, value) => asked({ type: 'metric', name, value }),
    log: (level, message) => asked({ type: 'log', level, message }),
    halt: (reason) => asked({ type: 'halt', reason }),
  }
}

/** Asks a host for an effect. */
export function ask(host: EngineHost, effect: EngineEffect): void {
  switch (effect.type) {
    case 'send':
      return host.send(effect.to, effect.bytes, given('vote', effect.vote))
    case 'broadcast':
      return host.broadcast(effect.bytes, given('vote', effect.vote))
    case 'put':
      return host.put(effect.key, effect.bytes)
    case 'delete':
      return host.delete(effect.key)
    case 'deliver':
      return host.deliver(effect.tag, effect.requests, { ...given('metadata', effect.metadata), ...given('put', effect.put) })
    case 'execute':
      return host.execute(effect.tag, effect.requests)
    case 'commit':
      return host.commit(effect.tag, effect.metadata)
    case 'rollback':
      return host.rollback()
    case 'transferTo':
      return host.transferTo(effect.target)
    case 'setValid':
      return host.setValid(effect.valid)
    case 'setTimer':
      return host.setTimer(effect.name, effect.delayMs)
    case 'cancelTimer':
      return host.cancelTimer(effect.name)
    case 'sign':
      return host.sign(effect.token, effect.bytes)
    case 'verify':
      return host.verify(effect.token, effect.items)
    case 'forget':
      return host.forget(effect.ids)
    case 'status':
      return host.status(effect.view)
    case 'metric':
      return host.metric(effect.name, effect.value)
    case 'log':
      return host.log(effect.level, effect.message)
    case 'halt':
      break
  }
  return host.halt(effect.reason)
}

/** One line for an effect; `show` says what bytes mean (default: hex). */
export function describeEffect({ type, ...fields }: EngineEffect, show: (bytes: Uint8Array) => unknown = toHex): string {
  const parts = Object.entries(fields).map(([name, value]) => `${name}=${inWords(value, show)}`)
  return [type, ...parts].join(' ')
}

/** A value on one line; bigints end in n. */
export function inWords(value: unknown, show: (bytes: Uint8Array) => unknown = toHex): string {
  const plain = (inner: unknown): unknown => {
    if (inner instanceof Uint8Array) return plain(show(inner))
    if (typeof inner === 'bigint') return `${inner}n`
    if (inner instanceof Map) return plain([...inner])
    if (Array.isArray(inner)) return inner.map(plain)
    if (typeof inner !== 'object' || inner === null) return inner
    return Object.fromEntries(Object.entries(inner).map(([key, field]) => [key, plain(field)]))
  }
  const text = plain(value)
  return typeof text === 'string' ? text : (JSON.stringify(text) ?? 'undefined')
}

function toHex(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`
}

function given<K extends string, V>(key: K, value: V | undefined): { readonly [key in K]?: V } {
  const fields: { [key in K]?: V } = {}
  if (value !== undefined) fields[key] = value
  return fields
}

const SHOWN_BYTES = 16

/** The first bytes, and how many there are. */
export function shortHex(bytes: Uint8Array): string {
  const text = `0x${Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, SHOWN_BYTES)).toString('hex')}`
  return bytes.length > SHOWN_BYTES ? `${text}… (${bytes.length} bytes)` : text
}

/** One line for an effect, for people: of a message and a record what `decode` makes of it, and the first of all other bytes. */
export function describeDecoded(effect: EngineEffect, decode: (bytes: Uint8Array) => unknown): string {
  const message = 'bytes' in effect && effect.type !== 'sign' ? effect.bytes : undefined
  return describeEffect(effect, (bytes) => (bytes === message ? decode(bytes) : undefined) ?? shortHex(bytes))
}

/** What `decode` makes of bytes; undefined if it knows nothing of them, or throws. */
export function decoded(bytes: Uint8Array, decode: ((bytes: Uint8Array) => unknown) | undefined): unknown {
  try {
    return decode?.(bytes)
  } catch {
    return undefined
  }
}
