import { expect, test } from 'vitest'
import { peersJson } from '../../plugins/network/peers-json.js'
import { PeerEndpoint_Type, PeersMessage } from '../../proto/index.js'

test('a peer connected to nobody prints an empty list', () => {
  expect(peersJson({ peers: [] })).toBe('{"Peers":[]}')
})

test('endpoints are printed with the names of the .proto file, enums as numbers and bytes in base64; what is empty is left out', () => {
  const peers = PeersMessage.fromPartial({
    peers: [
      { ID: { name: 'vp1' }, address: 'h:7051', type: PeerEndpoint_Type.VALIDATOR, pkiID: Buffer.from('key') },
      { ID: {}, address: 'h:1' },
    ],
  })
  expect(peersJson(peers)).toBe('{"Peers":[{"ID":{"name":"vp1"},"address":"h:7051","type":1,"pkiID":"a2V5"},{"ID":{},"address":"h:1"}]}')
})
