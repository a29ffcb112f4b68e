/*
 * A WebAssembly module of one function: SHAKE256 over blocks in its memory. JavaScript has no 64-bit integers that are fast, and a hash object of OpenSSL
 * costs several times as much as the hash of a short input, and as much again when it is collected.
 */

/** Bytes that one permutation takes in. */
export const RATE = 136
/** Where in the module's memory the blocks begin, and where the first 64 bytes of the hash are put. */
export const MESSAGE_AT = 512
export const HASH_AT = 256

const ROUNDS = 24
const LANES = 25
const LANE_BYTES = 8
const HASH_LANES = 8

// Magic number and version, opcodes and types of WebAssembly 1.0.
const HEADER = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
const I32 = 0x7f
const I64 = 0x7e
const LOOP = 0x03
const NO_RESULT = 0x40
const BRANCH_IF = 0x0d
const END = 0x0b
const I32_CONST = 0x41
const I64_CONST = 0x42
const I32_LESS = 0x49
const I32_ADD = 0x6a
const AND = 0x83
const XOR = 0x85
const ROTATE_LEFT = 0x89
const MINUS_ONE = [I64_CONST, 0x7f]
const load = (offset: number): number[] => [0x29, 3, ...unsigned(offset)]
const store = (offset: number): number[] => [0x37, 3, ...unsigned(offset)]
const get = (local: number): number[] => [0x20, local]
const set = (local: number): number[] => [0x21, local]
const tee = (local: number): number[] => [0x22, local]
const int32 = (value: number): number[] => [I32_CONST, ...signed(value)]
const int64 = (value: number): number[] => [I64_CONST, ...signed(value)]

// Locals of the function: where the blocks end (its parameter), where the next one is, which round it is; then the lanes of the state, the parities of its
// columns, what these change, the lanes of a row moved, and the state after the round.
const BLOCKS_END = 0
const BLOCK = 1
const ROUND = 2
const A = 3
const C = A + LANES
const D = C + 5
const B = D + 5
const E = B + 5

/** The module: `memory`, one page whose first bytes are the round constants, and `hash(end)`, which takes in the blocks from `MESSAGE_AT` to `end`. */
export function keccakModule(): Uint8Array<ArrayBuffer> {
  // Two kinds of locals, and how many of each.
  const locals = [2, 2, I32, 2 * LANES + 15, I64]
  const body = [...locals, ...hashBlocks(), END]
  return Uint8Array.from([
    ...HEADER,
    ...section(1, [1, 0x60, 1, I32, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 1, 1, 1]),
    ...section(7, [2, ...named('memory', 2), ...named('hash', 0)]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
    ...section(11, [1, 0, ...int32(0), END, ...unsigned(ROUNDS * LANE_BYTES), ...roundConstants()]),
  ])
}

function hashBlocks(): number[] {
  const absorb: number[] = []
  for (let lane = 0; lane < RATE / LANE_BYTES; lane++) {
    absorb.push(...get(A + lane), ...get(BLOCK), ...load(lane * LANE_BYTES), XOR, ...set(A + lane))
  }
  const squeeze: number[] = []
  for (let lane = 0; lane < HASH_LANES; lane++) squeeze.push(...int32(0), ...get(A + lane), ...store(HASH_AT + lane * LANE_BYTES))
  const firstBlock = int32(MESSAGE_AT).concat(set(BLOCK), LOOP, NO_RESULT)
  const firstRound = int32(0).concat(set(ROUND), LOOP, NO_RESULT)
  const nextRound = get(ROUND).concat(int32(LANE_BYTES), I32_ADD, tee(ROUND), int32(ROUNDS * LANE_BYTES), I32_LESS, BRANCH_IF, 0, END)
  const nextBlock = get(BLOCK).concat(int32(RATE), I32_ADD, tee(BLOCK), get(BLOCKS_END), I32_LESS, BRANCH_IF, 0, END)
  return [...firstBlock, ...absorb, ...firstRound, ...round(), ...nextRound, ...nextBlock, ...squeeze]
}

/** One round of Keccak-f[1600] (FIPS 202 §3.2), row by row: five lanes moved are used at once, where all of them would not fit into the registers of a processor. */
function round(): number[] {
  const code: number[] = []
  for (let x = 0; x < 5; x++) {
    code.push(...get(A + x))
    for (let y = 1; y < 5; y++) code.push(...get(A + x + 5 * y), XOR)
    code.push(...set(C + x))
  }
  for (let x = 0; x < 5; x++) code.push(...get(C + ((x + 4) % 5)), ...get(C + ((x + 1) % 5)), ...int64(1), ROTATE_LEFT, XOR, ...set(D + x))
  const rotations = rotationOffsets()
  for (let y = 0; y < 5; y++) {
    for (let x = 0; x < 5; x++) {
      const column = (x + 3 * y) % 5
      const from = column + 5 * x
      code.push(...get(A + from), ...get(D + column), XOR, ...int64(rotations[from] ?? 0), ROTATE_LEFT, ...set(B + x))
    }
    for (let x = 0; x < 5; x++) {
      code.push(...get(B + x), ...get(B + ((x + 1) % 5)), ...MINUS_ONE, XOR, ...get(B + ((x + 2) % 5)), AND, XOR)
      if (x + y === 0) code.push(...get(ROUND), ...load(0), XOR)
      code.push(...set(E + 5 * y + x))
    }
  }
  for (let lane = 0; lane < LANES; lane++) code.push(...get(E + lane), ...set(A + lane))
  return code
}

/** By lane. */
function rotationOffsets(): number[] {
  const offsets: number[] = [0]
  let [x, y] = [1, 0]
  for (let t = 0; t < LANES - 1; t++) {
    offsets[x + 5 * y] = (((t + 1) * (t + 2)) / 2) % 64
    ;[x, y] = [y, (2 * x + 3 * y) % 5]
  }
  return offsets
}

/** Little-endian, as WebAssembly's memory is. */
function roundConstants(): Uint8Array {
  const bytes = Buffer.alloc(ROUNDS * LANE_BYTES)
  let register = 1
  for (let round = 0; round < ROUNDS; round++) {
    let constant = 0n
    for (let bit = 0; bit < 7; bit++) {
      if ((register & 1) === 1) constant |= 1n << (2n ** BigInt(bit) - 1n)
      register = (register << 1) ^ (register >= 0x80 ? 0x171 : 0)
    }
    bytes.writeBigUInt64LE(constant, round * LANE_BYTES)
  }
  return bytes
}

function section(id: number, contents: readonly number[]): number[] {
  return [id, ...unsigned(contents.length), ...contents]
}

/** An export: 2 is a memory, 0 a function; of each there is one. */
function named(name: string, kind: number): number[] {
  return [name.length, ...Buffer.from(name), kind, 0]
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

function signed(value: number): number[] {
  const isLast = value >= -0x40 && value < 0x40
  return isLast ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)]
}
