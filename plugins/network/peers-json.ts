import { type PeerEndpoint, PeerEndpoint_Type, type PeersMessage } from '../../proto/index.js'

/** Peers as v0.6 prints them: names of the .proto file, enums as numbers, bytes in base64, what is empty left out (spec/node.md §6.2). */
export function peersJson({ peers }: PeersMessage): string {
  return JSON.stringify({ Peers: peers.map(endpointJson) })
}

function endpointJson({ ID, address, type, pkiID }: PeerEndpoint): object {
  return {
    ...(ID === undefined ? {} : { ID: ID.name === '' ? {} : { name: ID.name } }),
    ...(address === '' ? {} : { address }),
    ...(type === PeerEndpoint_Type.UNDEFINED ? {} : { type }),
    ...(pkiID.length === 0 ? {} : { pkiID: Buffer.from(pkiID).toString('base64') }),
  }
}
