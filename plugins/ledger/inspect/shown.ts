import { hex } from '../../../proto/index.js'
import { escaped } from '../../terminal/index.js'

/** Longest value shown to a person; `--json` and `--raw` give all of it. */
const MAX_SHOWN_CHARACTERS = 300

/** The bytes as text; `undefined` if they are none in UTF-8. */
export function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined // what is not UTF-8 is shown in hex
  }
}

/** Bytes for a person: text if they are, else `0x` and hex; long ones are cut and say so. */
export function shown(bytes: Uint8Array): string {
  const text = utf8(bytes)
  const whole = text === undefined ? `0x${hex(bytes.subarray(0, MAX_SHOWN_CHARACTERS))}` : escaped(text)
  return whole.length <= MAX_SHOWN_CHARACTERS && bytes.length <= MAX_SHOWN_CHARACTERS * 4
    ? whole
    : `${whole.slice(0, MAX_SHOWN_CHARACTERS)}… (${bytes.length} bytes)`
}

/** Bytes in JSON: a string if they are UTF-8, else `{"hex": "..."}`. */
export type JsonBytes = string | { readonly hex: string }

export function jsonBytes(bytes: Uint8Array): JsonBytes {
  return utf8(bytes) ?? { hex: hex(bytes) }
}

/** Seconds and nanoseconds as ISO 8601 with nanoseconds; a moment that no calendar has, in seconds. */
export function isoTime({ seconds, nanos }: { readonly seconds: bigint; readonly nanos: number }): string {
  const date = new Date(Number(seconds) * 1000)
  if (Number.isNaN(date.getTime())) return `${seconds} s ${nanos} ns`
  return `${date.toISOString().slice(0, -5)}.${String(nanos).padStart(9, '0')}Z`
}
