import { createToken } from '../../kernel/index.js'
import type { NetworkStatus, PeerEndpoint } from '../../proto/index.js'

/** The peers that this peer is connected to. */
export interface Network {
  /** What the HELLOs of the connected peers said, without this peer itself. */
  peers(): readonly PeerEndpoint[]
  status(): NetworkStatus
}

/** Who is connected. */
export const NETWORK = createToken<Network>('network', 'weft/plugins/network')
