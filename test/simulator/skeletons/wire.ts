import { createHash } from 'node:crypto'
import type { EngineRequest } from '../../../plugins/consensus/index.js'

/** Learning skeletons talk JSON: a request is [id, base64 of its bytes]. */
export type WireRequest = readonly [id: string, bytes: string]

export const toWire = ({ id, bytes }: EngineRequest): WireRequest => [id, Buffer.from(bytes).toString('base64')]
export const fromWire = ([id, bytes]: WireRequest): EngineRequest => ({ id, bytes: Buffer.from(bytes, 'base64') })

export const pack = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))

/**
 * Reads what `pack` wrote; `otherwise` if there is nothing or no JSON object. The fields are NOT checked: the simulator's members do not lie in these tests.
 * A product must check them all.
 */
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
