import { createToken } from '../../kernel/index.js'
import type { NetworkStatus, PeerEndpoint } from '../../proto/index.js'
import type { ConsensusTransport } from '../consensus/index.js'

/** What a validator declares in its HELLO, to be declared before the start hook: nothing is dialled earlier. */
export interface HelloDeclaration {
  /** What must be the same on all validators, by configuration key: short values, such as digests. */
  readonly settings: ReadonlyMap<string, string>
  /** Why original validators are refused, naming the key; undefined: they are welcome. */
  readonly refuseOriginals?: string
}

/** The peers that this peer is connected to. */
export interface Network {
  /** What the HELLOs of the connected peers said, without this peer itself. */
  peers(): readonly PeerEndpoint[]
  status(): NetworkStatus
  /**
   * Compared with what another Weft validator declares, in both directions: a difference ends the link, and is logged with ERR_NETWORK_SETTINGS, the key
   * and both values. Later calls replace the keys that they name.
   */
  declare(declaration: HelloDeclaration): void
  /** As TRANSPORT, for epochs after the first: a message type of its own, only to members whose HELLO declares that they know it. */
  readonly epochs: ConsensusTransport
}

/** Who is connected. */
export const NETWORK = createToken<Network>('network', 'weft/plugins/network')
