const WORD = 4
const LENGTH = 64

/**
 * 64 bytes that depend on all of the pieces and their order, for simulated state: a fraction of the cost of a real hash. Nobody in a simulation looks for collisions;
 * never for anything else. A string stands for its bytes in latin1.
 */
export function quickHash(...pieces: readonly (Uint8Array | string)[]): Uint8Array {
  const hash = new Uint8Array(LENGTH)
  let [a, b, c, d] = [0x9e3779b9, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f]
  for (const piece of pieces) {
    const isText = typeof piece === 'string'
    for (let index = 0; index < piece.length; index += 1) {
      const byte = isText ? piece.charCodeAt(index) & 0xff : (piece[index] ?? 0)
      a = Math.imul(a ^ byte, 0x01000193)
      b = (Math.imul(b, 31) + (a >>> 7) + byte) | 0
    }
    c = Math.imul(c ^ a ^ piece.length, 0x85ebca6b)
    d = (Math.imul(d ^ b, 0xc2b2ae35) + c) | 0
  }
  for (let index = 0; index < LENGTH / WORD; index += 1) {
    a = Math.imul(a ^ (d >>> 15) ^ index, 0x7feb352d)
    b = Math.imul(b ^ (a >>> 13), 0x846ca68b)
    c = (c ^ b ^ (a << 5)) | 0
    d = Math.imul(d ^ (c >>> 16), 0x2c1b3c6d)
    const word = a ^ b ^ c ^ d
    for (let byte = 0; byte < WORD; byte += 1) hash[index * WORD + byte] = (word >>> (8 * byte)) & 0xff
  }
  return hash
}
