import { PeerError, type Settings } from '../../kernel/index.js'
import type { Member } from './engine/engine.js'
import type { memberKeys } from './keys.js'

/**
 * Ids of all validators, in the order in which they are numbered: the configured ones, else vp0 to vp(N-1) if this peer is one of them, else `self` alone.
 * (Imported v0.6 sites have an N, whether or not they run PBFT.)
 */
export function validatorIds(settings: Settings<typeof memberKeys>, self: string): readonly string[] {
  const { 'consensus.validators': listed, 'pbft.general.N': count } = settings
  if (listed.length > 0) return listed
  const numbered = Array.from({ length: count ?? 0 }, (_, index) => `vp${index}`)
  return numbered.includes(self) ? numbered : [self]
}

/** Validators as members, and which of them is `self`. Throws ERR_CONSENSUS_MEMBERS if this peer is not one of them or one is named twice. */
export function membersOf(ids: readonly string[], self: string): { readonly all: readonly Member[]; readonly self: number } {
  const index = ids.indexOf(self)
  if (index < 0) {
    throw new PeerError('ERR_CONSENSUS_MEMBERS', `consensus.validators lists ${ids.join(', ')}, but not this validator, ${self}`, {
      hint: 'add peer.id to consensus.validators, the same on every validator, or set peer.validator.enabled to false',
    })
  }
  const twice = ids.find((name, at) => ids.indexOf(name) !== at)
  if (twice !== undefined) throw new PeerError('ERR_CONSENSUS_MEMBERS', `consensus.validators lists ${twice} twice`, { hint: 'list every validator once' })
  return { all: ids.map((id, at) => ({ index: at, id })), self: index }
}
