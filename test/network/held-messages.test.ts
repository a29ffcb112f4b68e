import { describe, expect, test } from 'vitest'
import { encodeHello } from '../../plugins/network/hello.js'
import { encodeMessage } from '../../plugins/network/messages.js'
import { Message_Type, PeerEndpoint, PeerEndpoint_Type } from '../../proto/index.js'
import { type StreamEnd, World, type WorldPeer } from './world.js'

const EMPTY_LEDGER = { height: 0n, currentBlockHash: new Uint8Array(0), previousBlockHash: new Uint8Array(0) }

/** A link of a member that the test speaks for. */
async function linkOf(world: World, peer: WorldPeer, id: string): Promise<{ readonly end: StreamEnd }> {
  const script = world.script(peer)
  const endpoint = PeerEndpoint.fromPartial({ ID: { name: id }, address: `${id}:7051`, type: PeerEndpoint_Type.VALIDATOR })
  script.end.write(encodeMessage(Message_Type.DISC_HELLO, encodeHello(endpoint, EMPTY_LEDGER, undefined)))
  await world.run(10)
  return script
}

/** Consensus begins: what it hears from then on. */
function listen({ network }: WorldPeer): string[] {
  const heard: string[] = []
  network.transport.receive({
    message: (from, bytes) => void heard.push(`${from}: ${Buffer.from(bytes).toString()}`),
    peer: (member, up) => void heard.push(`${member} ${up ? 'up' : 'down'}`),
  })
  return heard
}

describe('what members say before consensus has begun here', () => {
  test('waits for it, in order; a link that broke in between takes what was said on it', async () => {
    const world = new World()
    const vp0 = world.peer('vp0')
    vp0.network.start()
    const say = ({ end }: { readonly end: StreamEnd }, ...texts: string[]): void => {
      for (const text of texts) end.write(encodeMessage(Message_Type.CONSENSUS, Buffer.from(text)))
    }
    const vp1 = await linkOf(world, vp0, 'vp1')
    say(vp1, 'one', 'two')
    const before = await linkOf(world, vp0, 'vp2')
    say(before, 'lost')
    await world.run(10)
    before.end.cut('gone')
    await world.run(10)
    say(await linkOf(world, vp0, 'vp2'), 'three')
    await world.run(10)
    const heard = listen(vp0)
    say(vp1, 'four')
    await world.run(10)
    expect(heard).toEqual(['1 up', '1: one', '1: two', '2 up', '2: three', '1: four'])
  })

  test('is bounded: of what is too much it hears that the member went and came', async () => {
    const world = new World()
    const vp0 = world.peer('vp0')
    vp0.network.start()
    const { end } = await linkOf(world, vp0, 'vp1')
    for (let at = 0; at < 16_400; at++) end.write(encodeMessage(Message_Type.CONSENSUS, Buffer.from(`${at}`)))
    await world.run(10)
    const heard = listen(vp0)
    expect([heard.length, heard.at(0), heard.at(-3), heard.at(-2), heard.at(-1)]).toEqual([16_387, '1 up', '1: 16383', '1 down', '1 up'])
  })

  test('is dropped where no consensus runs', async () => {
    const world = new World()
    const peer = world.peer('nvp', { type: PeerEndpoint_Type.NON_VALIDATOR })
    peer.network.start()
    const { end } = await linkOf(world, peer, 'vp1')
    end.write(encodeMessage(Message_Type.CONSENSUS, Buffer.from('one')))
    await world.run(10)
    expect(listen(peer)).toEqual(['1 up'])
  })
})
