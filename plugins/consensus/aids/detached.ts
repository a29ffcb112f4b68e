/** Small copies share memory: one of its own takes ten times as long to allocate. */
const SLAB_BYTES = 8 * 1024
let slab = new Uint8Array(SLAB_BYTES)
let used = 0

/**
 * Bytes that may be kept for long: a copy, unless they are at least half of the memory that they are in, or that is no more than 8 KiB. What an engine is told is a
 * view of what came with it, so that a hundred bytes that are kept would keep half a megabyte of somebody who means harm.
 */
export function detached(bytes: Uint8Array): Uint8Array {
  const { length } = bytes
  if (bytes.buffer.byteLength <= Math.max(2 * length, SLAB_BYTES)) return bytes
  if (2 * length > SLAB_BYTES) return new Uint8Array(bytes)
  if (used + length > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES)
    used = 0
  }
  const copy = slab.subarray(used, used + length)
  copy.set(bytes)
  used += length
  return copy
}
