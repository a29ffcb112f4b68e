import { PeerError } from '../../../kernel/index.js'

/** Throws ERR_SWAP_COMPATIBILITY in networks whose validators execute what originals do: for those there is no succession of engines. */
export function requireChangeable(isFixed: boolean): void {
  if (!isFixed) return
  throw new PeerError(
    'ERR_SWAP_COMPATIBILITY',
    'the consensus engine of this network cannot be changed: peer.validator.compatibility is v0.6, and original validators cannot follow',
    { hint: 'once every validator runs Weft, stop them all, set peer.validator.compatibility to weft on each, and start them again', grpcStatus: 9 },
  )
}
