import { Block, decode } from '../../proto/index.js'
import { sameBytes, shortHex } from './bytes.js'
import { type Chain, links } from './chain.js'
import { corrupt } from './errors.js'
import type { Height } from './ledger.js'
import type { WorldState } from './world-state.js'

/** What a start looks at, newest first: a store that lost a part of its log shows it here, and a start takes tens of milliseconds at most. */
const MAX_BLOCKS = 1000n
const MAX_BYTES = 4 * 1024 * 1024

/**
 * The newest blocks must be there and name each other's hashes. Blocks that came raw from other peers may have holes until their transfer has
 * completed and are left out ({@link Chain.linkedFrom}). Throws ERR_LEDGER_CORRUPT.
 */
export function checkNewestBlocks(chain: Chain): void {
  const lowest = highest(chain.linkedFrom, chain.height - MAX_BLOCKS, 0n)
  let upper: Uint8Array | undefined
  let bytes = 0
  for (let number = chain.height - 1n; number >= lowest && bytes < MAX_BYTES; number -= 1n) {
    const block = chain.stored(number)
    if (!block) throw corrupt(`block ${number} is missing below the height ${chain.height}`)
    if (upper && !links(upper, block)) throw corrupt(`block ${number + 1n} does not name the hash of block ${number}: one of them is damaged`)
    upper = block
    bytes += block.length
  }
}

/** The stored state must be that of the block that it is said to be of (spec/ledger.md §7.7). Throws ERR_LEDGER_CORRUPT. */
export function checkState(chain: Chain, { block, structure, isTransferred }: Pick<WorldState, 'block' | 'structure' | 'isTransferred'>): void {
  const head = chain.height - 1n
  // A block that was executed here brought its state with it; only a transfer leaves one behind the other.
  if (!isTransferred && head >= chain.linkedFrom && block !== head) {
    throw corrupt(`the head is block ${head}, which was executed here, but the world state is that of ${block === undefined ? 'no block' : `block ${block}`}`)
  }
  if (block === undefined) return
  if (block >= chain.height) throw corrupt(`the world state is that of block ${block}, but the height is ${chain.height}`)
  const stored = chain.stored(block)
  // A state that was transferred may be older than the oldest block that has arrived yet.
  if (!stored) return
  const { stateHash } = decode(Block, stored)
  const expected = stateHash.length === 0 ? undefined : stateHash
  const found = structure.hash
  if (!sameBytes(expected, found)) throw corrupt(`block ${block} has the state hash ${shortHex(expected)}, the stored world state has ${shortHex(found)}`)
}

function highest(...numbers: readonly Height[]): Height {
  return numbers.reduce((a, b) => (a > b ? a : b))
}
