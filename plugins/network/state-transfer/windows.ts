import type { Link } from '../link.js'

/** What a Weft peer is asked for at a time: it sends as fast as its neighbour takes it, and says what it does not have. */
const WEFT_BLOCKS = 1024
const WEFT_DELTAS = 256

/** How much is asked for at a time, less one. An original must be able to send all of it at once, so there it is what the operator says. */
export function windowOf(link: Pick<Link, 'hello'>, kind: 'blocks' | 'deltas', channelSize: number): bigint {
  if (link.hello?.weft === undefined) return BigInt(channelSize)
  return BigInt(Math.max(channelSize, (kind === 'blocks' ? WEFT_BLOCKS : WEFT_DELTAS) - 1))
}
