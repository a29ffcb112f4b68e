import type { EngineRequest, TransferTarget, VoteMark } from '../engine/engine.js'
import { misuse } from '../engine/misuse.js'
import { checkRecordKey } from '../engine/records.js'

/** An item of `verify`. */
interface SignedItem {
  readonly member: number
  readonly bytes: Uint8Array
  readonly signature: Uint8Array
}

type PutOfDelivery = readonly (readonly [key: string, value: Uint8Array])[]

const LEVELS: readonly string[] = ['error', 'warning', 'info', 'debug']
const MOST_SHOWN = 40
/** Of a tag, a token, the name of a timer or the slot of a vote; the host and the process of an engine hold many. */
export const LONGEST_WORD = 1024 * 1024
/** Of the name of a metric. */
export const LONGEST_METRIC = 256
/** Tells the kind of a typed array, of whatever realm; of no other object, and of no proxy. Called by itself: looked up anew each time it costs ten times as much. */
const kindOf: unknown = Reflect.get(Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag) ?? {}, 'get')

/**
 * Checks what an engine written without types asks for, so that the call itself throws, in the handler and at its place in the engine's code: what is found out only
 * when effects are carried out could be blamed on the peer alone. All throw ERR_ENGINE_MISUSE.
 */
export function checkBytes(call: string, value: Uint8Array): void {
  if (!isBytes(value)) refuse(call, 'bytes as a Uint8Array', value)
}

/** Bytes that may be left out. */
export function checkMetadata(call: string, value: Uint8Array | undefined): void {
  if (value !== undefined && !isBytes(value)) refuse(call, 'metadata as a Uint8Array', value)
}

export function checkText(call: string, what: string, value: string): void {
  if (typeof value !== 'string') refuse(call, `${what} as a string`, value)
}

/** A text that names something. */
export function checkWord(call: string, what: string, value: string, longest = LONGEST_WORD): void {
  checkText(call, what, value)
  if (value.length > longest) misuse(`${call}() takes ${what} of at most ${longest} characters; found ${value.length}`)
}

export function checkMetric(name: string, value: number): void {
  checkWord('metric', 'a name', name, LONGEST_METRIC)
  if (typeof value !== 'number') refuse('metric', 'a number', value)
}

/** A mark may be left out. */
export function checkVote(call: string, vote: VoteMark | undefined): void {
  if (vote === undefined) return
  if (typeof vote !== 'object' || vote === null) refuse(call, 'vote as { slot: string, value: string }', vote)
  checkWord(call, 'the slot of a vote', vote.slot)
  checkWord(call, 'the value of a vote', vote.value)
}

export function checkKey(call: string, key: string): string {
  checkText(call, 'a key', key)
  return checkRecordKey(key)
}

export function checkRequests(call: string, requests: readonly EngineRequest[]): void {
  if (!Array.isArray(requests)) refuse(call, 'an array of requests', requests)
  for (const request of requests) {
    if (typeof request?.id !== 'string' || !isBytes(request.bytes)) refuse(call, 'requests as { id: string, bytes: Uint8Array }', request)
  }
}

export function checkPuts(put: PutOfDelivery): void {
  if (!Array.isArray(put)) refuse('deliver', 'put as an array of [key, bytes]', put)
  for (const [key, bytes] of put) {
    checkKey('put of deliver', key)
    checkBytes('put of deliver', bytes)
  }
}

export function checkTarget({ height, hash, members }: TransferTarget): void {
  if (typeof height !== 'bigint' || height < 0n) refuse('transferTo', 'a height as a bigint, 0n or more', height)
  checkBytes('transferTo', hash)
  if (!Array.isArray(members) || !members.every((member) => Number.isInteger(member) && member >= 0))
    refuse('transferTo', 'members as an array of indexes', members)
}

export function checkDelay(name: string, delayMs: number): void {
  checkWord('setTimer', 'a name', name)
  if (typeof delayMs !== 'number' || !(delayMs >= 0))
    misuse(`the delay of timer '${name.slice(0, MOST_SHOWN)}' is 0 or more milliseconds; found ${shown(delayMs)}`)
}

export function checkItems(items: readonly SignedItem[]): void {
  if (!Array.isArray(items)) refuse('verify', 'an array of items', items)
  for (const item of items) {
    if (!Number.isInteger(item?.member) || !isBytes(item.bytes) || !isBytes(item.signature))
      refuse('verify', 'items as { member: index, bytes: Uint8Array, signature: Uint8Array }', item)
  }
}

export function checkIds(ids: readonly string[]): void {
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'string')) refuse('forget', 'an array of ids', ids)
}

export function checkView(view: Readonly<Record<string, unknown>>): void {
  if (typeof view !== 'object' || view === null || Array.isArray(view)) refuse('status', 'an object', view)
}

export function checkLevel(level: string): void {
  if (!LEVELS.includes(level)) refuse('log', `one of ${LEVELS.join(', ')}`, level)
}

export function checkBoolean(call: string, value: boolean): void {
  if (typeof value !== 'boolean') refuse(call, 'true or false', value)
}

function isBytes(value: unknown): value is Uint8Array {
  return typeof kindOf === 'function' && Reflect.apply(kindOf, value, []) === 'Uint8Array'
}

function refuse(call: string, expected: string, found: unknown): never {
  misuse(`${call}() takes ${expected}; found ${shown(found)}`)
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, MOST_SHOWN))
  if (typeof value === 'bigint') return `${value}n`
  if (Array.isArray(value)) return 'an array of something else'
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}
