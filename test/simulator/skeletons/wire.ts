import { createHash } from 'node:crypto'
import type { EngineRequest } from '../../../plugins/consensus/index.js'

/** Learning skeletons talk JSON: a request is [id, base64 of its bytes]. */
export type WireRequest = readonly [id: string, bytes: string]

export const toWire = ({ id, bytes }: EngineRequest): WireRequest => [id, Buffer.from(bytes).toString('base64')]
export const fromWire = ([id, bytes]: WireRequest): EngineRequest => ({ id, bytes: Buffer.from(bytes, 'base64') })

export const pack = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))

/** Reads what `pack` wrote; `otherwise` if there is nothing or no JSON object. The fields are not checked. */
export function unpack<T extends object>(bytes: Uint8Array | undefined, otherwise?: T): T | undefined {
  if (bytes === undefined) return otherwise
  try {
    const value: T | null = JSON.parse(Buffer.from(bytes).toString())
    return typeof value === 'object' && value !== null ? value : otherwise
  } catch {
    // Hostile bytes: the caller drops the message.
    return otherwise
  }
}

export const digest = (...parts: readonly string[]): string => createHash('sha256').update(parts.join('|')).digest('hex').slice(0, 32)

/** What a field of a message must be. */
type Kind = 'number' | 'string' | 'boolean' | 'request' | 'requests' | 'objects' | 'object'

const CHECKS: Readonly<Record<Kind, (value: unknown) => boolean>> = {
  number: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  request: isRequest,
  requests: (value) => Array.isArray(value) && value.every(isRequest),
  objects: (value) => Array.isArray(value) && value.every(isObject),
  object: isObject,
}

/** Whether a value has the fields of a message: of its type `t`, or of `kinds` itself. */
export function hasFields(value: unknown, kinds: Readonly<Record<string, Kind>>): boolean {
  return isObject(value) && Object.entries(kinds).every(([name, kind]) => CHECKS[kind](Reflect.get(value, name)))
}

function isRequest(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string')
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
