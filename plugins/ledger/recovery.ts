import { Block, decode } from '../../proto/index.js'
import { sameBytes, shortHex } from './bytes.js'
import type { Chain } from './chain.js'
import { corrupt } from './errors.js'
import type { WorldState } from './world-state.js'

/** The stored state must be that of the block that it is said to be of (spec/ledger.md §7.7). Throws ERR_LEDGER_CORRUPT. */
export function checkState(chain: Chain, { block, structure }: Pick<WorldState, 'block' | 'structure'>): void {
  if (block === undefined) return
  if (block >= chain.height) throw corrupt(`the world state is that of block ${block}, but the height is ${chain.height}`)
  const stored = chain.blockBytes(block)
  // A state that was transferred may be older than the oldest block that has arrived yet.
  if (!stored) return
  const { stateHash } = decode(Block, stored)
  const expected = stateHash.length === 0 ? undefined : stateHash
  const found = structure.hash
  if (!sameBytes(expected, found)) throw corrupt(`block ${block} has the state hash ${shortHex(expected)}, the stored world state has ${shortHex(found)}`)
}
