/**
 * A deterministic stream of numbers in [0, 1) with 53 random bits: xoshiro128** (Blackman and Vigna), its state filled by splitmix32.
 * For spreading load and timers; never for secrets.
 */
export function createRandom(seed: bigint): () => number {
  let splitState = Number(seed & 0xffffffffn) ^ Math.imul(Number((seed >> 32n) & 0xffffffffn), 0x85ebca6b)
  const split = (): number => {
    splitState = (splitState + 0x9e3779b9) | 0
    let mixed = splitState ^ (splitState >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return mixed ^ (mixed >>> 15)
  }
  let a = split()
  let b = split()
  let c = split()
  // The last bit set keeps the state away from all zeros, from which xoshiro never leaves.
  let d = split() | 1
  const next = (): number => {
    const scrambled = Math.imul(b, 5)
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << 11) | (d >>> 21)
    return result
  }
  return () => ((next() >>> 5) * 0x4000000 + (next() >>> 6)) / 0x20000000000000
}
