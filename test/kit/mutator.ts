import type { Envelope, Forwarded, Interceptor } from './links.js'
import type { Random } from './random.js'

/** Old messages that are kept to be sent again. */
const MEMORY = 200
const DELAY_MS = 300

/**
 * A Byzantine member's network card: it knows nothing of the engine. With `chance` a message is lost, held back (later ones overtake it), doubled, cut, gets bits flipped
 * or bytes inserted, goes to somebody else, is spliced with an old one, or an old one goes in its place: one of its own, or another member's under its own name.
 * It decides per receiver, so receivers see different things.
 */
export function createMutator(random: Random, members: number, chance: number): Interceptor {
  const memory: Uint8Array[] = []
  const remember = (bytes: Uint8Array): void => {
    if (memory.length < MEMORY) memory.push(bytes)
    else memory[random.below(MEMORY)] = bytes
  }
  const old = (): Uint8Array => random.pick(memory)
  const mutations: readonly ((envelope: Envelope) => readonly Forwarded[])[] = [
    () => [],
    ({ to, bytes }) => [{ to, bytes, afterMs: random.between(0, DELAY_MS) }],
    ({ to, bytes }) => [
      { to, bytes },
      { to, bytes, afterMs: random.between(0, DELAY_MS) },
    ],
    ({ to, bytes }) => [{ to, bytes: bytes.slice(0, random.below(bytes.length + 1)) }],
    ({ to, bytes }) => [{ to, bytes: flipBits(bytes, random) }],
    ({ to, bytes }) => [{ to, bytes: insertBytes(bytes, random) }],
    ({ bytes }) => [{ to: random.below(members), bytes }],
    ({ to, bytes }) => [{ to, bytes: splice(bytes, old(), random) }],
    ({ to, bytes }) => [
      { to, bytes },
      { to, bytes: old() },
    ],
    ({ to }) => [{ to, bytes: old() }],
  ]
  return {
    sends(envelope) {
      remember(envelope.bytes)
      return random.chance(chance) ? random.pick(mutations)(envelope) : [envelope]
    },
    receives: ({ bytes }) => remember(bytes),
  }
}

/** Bytes as a hostile member could have made them of real ones: cut, lengthened, with bits flipped, spliced with `other`. */
export function damage(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  switch (random.below(4)) {
    case 0:
      return bytes.slice(0, random.below(bytes.length + 1))
    case 1:
      return flipBits(bytes, random)
    case 2:
      return insertBytes(bytes, random)
    default:
      return splice(bytes, other, random)
  }
}

function flipBits(bytes: Uint8Array, random: Random): Uint8Array {
  const changed = bytes.slice()
  for (let flips = 1 + random.below(3); flips > 0 && changed.length > 0; flips -= 1) {
    const at = random.below(changed.length)
    changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8))
  }
  return changed
}

function insertBytes(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length + 1)
  const inserted = Uint8Array.from({ length: 1 + random.below(16) }, () => random.below(256))
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)])
}

function splice(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  return Buffer.concat([bytes.subarray(0, random.below(bytes.length + 1)), other.subarray(random.below(other.length + 1))])
}
