import { expect, test } from 'vitest'
import { encodeHello } from '../../plugins/network/hello.js'
import { encodeMessage } from '../../plugins/network/messages.js'
import { Message_Type, PeerEndpoint, PeerEndpoint_Type } from '../../proto/index.js'
import { World, type WorldPeer } from './world.js'

const NOTHING = new Uint8Array(0)

/** A link of an original, which says this height of its chain. */
function original(world: World, peer: WorldPeer, id: string, height = 0n): ReturnType<World['script']> {
  const script = world.script(peer)
  const endpoint = PeerEndpoint.fromPartial({ ID: { name: id }, address: `${id}:7051`, type: PeerEndpoint_Type.VALIDATOR })
  const info = { height, currentBlockHash: Buffer.from('head'), previousBlockHash: NOTHING }
  script.end.write(encodeMessage(Message_Type.DISC_HELLO, encodeHello(endpoint, info, undefined)))
  return script
}

test('consensus hears the head of the chain that an original says in its HELLO, also of one that was connected before', async () => {
  const world = new World()
  const peer = world.peer('vp0')
  const heads: string[] = []
  original(world, peer, 'vp1', 7n)
  await world.run(10)
  peer.network.transport.receive({
    message: () => undefined,
    peer: () => undefined,
    head: (member, { height, hash }) => void heads.push(`${member} ${height} ${Buffer.from(hash).toString()}`),
  })
  original(world, peer, 'vp2', 8n)
  original(world, peer, 'stranger', 9n)
  await world.run(10)
  expect(heads).toEqual(['1 7 head', '2 8 head'])
})

test.each([true, false])('CONSENSUS has a time as that of noops has, and none otherwise: %s', async (timesConsensus) => {
  const world = new World()
  const peer = world.peer('vp0', { timesConsensus })
  const { received } = original(world, peer, 'vp1')
  await world.run(10)
  peer.network.transport.send(1, Buffer.from('x'))
  await world.run(10)
  expect(received.find(({ type }) => type === Message_Type.CONSENSUS)?.timestamp !== undefined).toBe(timesConsensus)
})
