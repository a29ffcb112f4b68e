/** Numbers below this one take one byte, the others four. */
const ONE_BYTE_LIMIT = 0xf0

/** Largest number that {@link prefixOf} can write. */
export const MAX_PREFIX_NUMBER = 0xff_ffff

/** Bytes before every key of namespace `number`. No prefix begins another one, and prefixes sort as their numbers do. */
export function prefixOf(number: number): Uint8Array {
  if (number < ONE_BYTE_LIMIT) return Uint8Array.of(number)
  return Uint8Array.of(ONE_BYTE_LIMIT, number >>> 16, (number >>> 8) & 0xff, number & 0xff)
}

/** `key` behind `prefix`, in new bytes. */
export function prefixed(prefix: Uint8Array, key: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(prefix.length + key.length)
  bytes.set(prefix)
  bytes.set(key, prefix.length)
  return bytes
}
