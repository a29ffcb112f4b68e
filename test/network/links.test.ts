import { describe, expect, test } from 'vitest'
import { encodeHello } from '../../plugins/network/hello.js'
import { encodeMessage, PACKED } from '../../plugins/network/messages.js'
import { pack } from '../../plugins/network/packing.js'
import { decode, encode, HelloMessage, Message, Message_Type, PeerEndpoint, PeerEndpoint_Type, PeersAddresses, PeersMessage } from '../../proto/index.js'
import type { ChatHandlers, ChatStream } from '../../plugins/network/chat-stream.js'
import { Link } from '../../plugins/network/link.js'
import { createVirtualClock, VirtualTime } from '../kit/virtual-clock.js'
import { type StreamEnd, connectedIds, World, type WorldPeer } from './world.js'

const EMPTY_LEDGER = { height: 0n, currentBlockHash: new Uint8Array(0), previousBlockHash: new Uint8Array(0) }
const endpoint = (id: string, address = `${id}:7051`, type = PeerEndpoint_Type.VALIDATOR): PeerEndpoint =>
  PeerEndpoint.fromPartial({ ID: { name: id }, address, type })
const helloOf = (id: string, weft?: { settings?: readonly (readonly [string, string])[]; session?: string; address?: string }): Uint8Array =>
  encodeMessage(
    Message_Type.DISC_HELLO,
    encodeHello(
      endpoint(id, weft?.address),
      EMPTY_LEDGER,
      weft && { session: weft.session ?? 'ab', capabilities: new Set([PACKED]), settings: new Map(weft.settings ?? []) },
    ),
  )
const typesOf = (messages: readonly Message[]): number[] => messages.map(({ type }) => type)

/** Consensus as one peer's transport reports it. */
function listen({ network }: WorldPeer): string[] {
  const heard: string[] = []
  network.transport.receive({
    message: (from, bytes) => void heard.push(`${from}: ${Buffer.from(bytes).toString()}`),
    peer: (member, up) => void heard.push(`${member} ${up ? 'up' : 'down'}`),
  })
  return heard
}

async function mesh(count: number, seed = 1): Promise<{ world: World; peers: WorldPeer[] }> {
  const world = new World(seed)
  const members = Array.from({ length: count }, (_, index) => `vp${index}`)
  const peers = members.map((id) => world.peer(id, { rootNodes: ['vp0:7051'], members }))
  for (const { network } of peers) network.start()
  await world.run(2000)
  return { world, peers }
}

/** What a link that a test speaks on has established. */
async function original(world: World, peer: WorldPeer, id: string) {
  const script = world.script(peer)
  script.end.write(helloOf(id))
  await world.run(10)
  return script
}

describe('a mesh', () => {
  test.each([4, 16])('of %i peers with one root node stands within two seconds, by one link per pair', async (count) => {
    const { peers } = await mesh(count)
    for (const peer of peers) {
      expect(connectedIds(peer)).toHaveLength(count - 1)
      expect(peer.network.status().links).toHaveLength(count - 1)
    }
  })

  test('peers that all dial each other at once keep one link per pair, the same at both ends', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const world = new World(seed)
      const members = ['vp0', 'vp1', 'vp2', 'vp3']
      const peers = members.map((id) => world.peer(id, { rootNodes: members.map((other) => `${other}:7051`), members }))
      for (const { network } of peers) {
        network.start()
        await world.run(world.random.below(4))
      }
      await world.run(3000)
      for (const peer of peers) {
        const { links } = peer.network.status()
        expect(connectedIds(peer)).toHaveLength(3)
        expect(links).toHaveLength(3)
        for (const link of links) {
          const there = peers
            .find(({ id }) => id === link.id)
            ?.network.status()
            .links.find(({ id }) => id === peer.id)
          expect(there?.dialled).toBe(!link.dialled)
        }
      }
    }
  })

  test('a root node that is down at the start is found when it comes', async () => {
    const world = new World()
    const late = world.peer('vp0')
    world.silence(late)
    const peer = world.peer('vp1', { rootNodes: ['vp0:7051'] })
    peer.network.start()
    await world.run(600_000)
    expect(peer.network.status().dials).toMatchObject([{ address: 'vp0:7051', reason: 'vp0:7051 refuses connections' }])
    world.peer('vp0').network.start()
    await world.run(8000)
    expect(connectedIds(peer)).toEqual(['vp0'])
  })

  test('a peer that restarts is connected again at once, and consensus hears that it was away', async () => {
    const { world, peers } = await mesh(3)
    const [vp0, vp1, vp2] = peers
    if (!vp0 || !vp1 || !vp2) throw new Error('three peers')
    const heard = listen(vp0)
    await vp2.network.stop()
    await world.run(10)
    expect(connectedIds(vp0)).toEqual(['vp1'])
    const again = world.peer('vp2', { store: vp2.store, session: 'beef', members: ['vp0', 'vp1', 'vp2'] })
    again.network.start()
    await world.run(1000)
    expect(connectedIds(again)).toEqual(['vp0', 'vp1'])
    expect(heard).toEqual(['1 up', '2 up', '2 down', '2 up'])
  })

  test('a restarted peer whose former link still seems alive replaces it', async () => {
    const { world, peers } = await mesh(2)
    const [vp0] = peers
    if (!vp0) throw new Error('two peers')
    const heard = listen(vp0)
    const { end, closed } = world.script(vp0)
    end.write(helloOf('vp1', { session: 'beef' }))
    await world.run(10)
    expect(heard).toEqual(['1 up', '1 down', '1 up'])
    expect(closed).toEqual([])
    expect(vp0.network.status().links).toHaveLength(1)
  })

  test('addresses of connected peers are kept and dialled after a restart, without a root node', async () => {
    const { world, peers } = await mesh(3)
    const vp2 = peers[2]
    if (!vp2) throw new Error('three peers')
    await vp2.network.stop()
    const stored = vp2.store.namespace('network').get(Buffer.from('discovery'))
    expect(decode(PeersAddresses, stored ?? new Uint8Array(0)).addresses.sort()).toEqual(['vp0:7051', 'vp1:7051'])
    const again = world.peer('vp2', { store: vp2.store, session: 'beef' })
    again.network.start()
    await world.run(1000)
    expect(connectedIds(again)).toEqual(['vp0', 'vp1'])
  })

  test('a peer that says nothing any more counts as gone', async () => {
    const { world, peers } = await mesh(2)
    const heard = peers.map(listen)
    for (const { other } of world.streams) {
      other?.pause()
      other?.other?.pause()
    }
    await world.run(30_000)
    expect(heard).toEqual([
      ['1 up', '1 down', '1 up'],
      ['0 up', '0 down', '0 up'],
    ])
  })
})

describe('the handshake', () => {
  test('has the bytes of v0.6, and behind them what v0.6 drops', () => {
    const vector = '0a0f0a060a046e7670301203613a3118021200'
    const original = encodeHello(endpoint('nvp0', 'a:1', PeerEndpoint_Type.NON_VALIDATOR), EMPTY_LEDGER, undefined)
    expect(Buffer.from(original).toString('hex')).toBe(vector)
    const extended = encodeHello(endpoint('nvp0', 'a:1', PeerEndpoint_Type.NON_VALIDATOR), EMPTY_LEDGER, {
      session: 'ab',
      capabilities: new Set([PACKED]),
      settings: new Map([['k', 'v']]),
    })
    expect(Buffer.from(extended).toString('hex').startsWith(vector)).toBe(true)
    expect(Buffer.from(encode(HelloMessage, decode(HelloMessage, extended))).toString('hex')).toBe(vector)
  })

  test('an original that dials gets a HELLO first, is asked for peers, and plain messages only', async () => {
    const world = new World()
    const peer = world.peer('vp0')
    const { received, end } = await original(world, peer, 'vp1')
    peer.network.transport.send(1, Buffer.from('one'))
    peer.network.transport.send(1, Buffer.from('two'))
    end.write(encodeMessage(Message_Type.DISC_GET_PEERS))
    await world.run(10)
    expect(typesOf(received)).toEqual([
      Message_Type.DISC_HELLO,
      Message_Type.DISC_GET_PEERS,
      Message_Type.CONSENSUS,
      Message_Type.CONSENSUS,
      Message_Type.DISC_PEERS,
    ])
    const [hello] = received
    expect(hello?.timestamp).toBeDefined()
    expect(hello?.signature).toHaveLength(0)
    const list = decode(PeersMessage, received.at(-1)?.payload ?? new Uint8Array(0))
    expect(list.peers).toEqual([endpoint('vp1')])
  })

  test('a message before the HELLO, a second HELLO, unknown and misplaced types are dropped; the stream stays open', async () => {
    const world = new World()
    const peer = world.peer('vp0')
    const heard = listen(peer)
    const { end, closed, received } = world.script(peer)
    end.write(encodeMessage(Message_Type.CONSENSUS, Buffer.from('too early')))
    end.write(encodeMessage(Message_Type.DISC_GET_PEERS))
    end.write(encodeMessage(Message_Type.DISC_HELLO, Buffer.from('0a00', 'hex')))
    end.write(encodeMessage(Message_Type.DISC_HELLO))
    end.write(encodeMessage(Message_Type.DISC_HELLO, Buffer.from('ffff', 'hex')))
    await world.run(10)
    expect(received).toEqual([])
    end.write(helloOf('vp1'))
    // Of types that v0.6 never sends, or does not know.
    for (const type of [0, Message_Type.DISC_HELLO, 2, 5, Message_Type.CHAIN_TRANSACTION, 20, 77, Message_Type.WEFT_PACKED])
      end.write(Buffer.from([0x08, type]))
    end.write(encodeMessage(Message_Type.CONSENSUS, Buffer.from('now')))
    await world.run(10)
    expect(closed).toEqual([])
    expect(heard).toEqual(['1 up', '1: now'])
    expect(peer.network.status().rejected).toBe(13n)
  })

  test('a stream without a HELLO is ended after ten seconds, and many of them make room for each other', async () => {
    const world = new World()
    const peer = world.peer('vp0')
    const scripts = Array.from({ length: 200 }, () => world.script(peer))
    await world.run(10)
    expect(scripts.filter(({ closed }) => closed.length > 0)).toHaveLength(72)
    await world.run(11_000)
    expect(scripts.every(({ closed }) => closed.length === 1)).toBe(true)
  })

  test('more peers than peer.limits.links are refused, but a validator is let in', async () => {
    const world = new World()
    const peer = world.peer('vp0', { maxLinks: 3 })
    for (const id of ['a', 'b', 'c', 'd', 'vp3']) await original(world, peer, id)
    expect(connectedIds(peer)).toEqual(['a', 'b', 'c', 'vp3'])
  })

  test('an address that leads to the peer itself is forgotten; another peer with the same id is an error', async () => {
    const world = new World()
    const peer = world.peer('vp0')
    const { network } = world.peer('vp0', { rootNodes: ['vp0:7051'] })
    network.start()
    const impostor = world.script(peer)
    impostor.end.write(helloOf('vp0', { session: 'beef' }))
    await world.run(20_000)
    expect(connectedIds(peer)).toEqual([])
    expect(peer.log.join()).toContain('another peer has the id of this one, vp0: peer.id must be unique')
    const self = world.script(peer)
    self.end.write(helloOf('vp0', { session: Buffer.from('vp0').toString('hex') }))
    await world.run(10)
    expect(self.closed).toEqual(['an address leads to this peer itself and is not dialled again'])
  })

  test('validators whose settings differ are not linked, and both say which key differs', async () => {
    const world = new World()
    const vp0 = world.peer('vp0')
    const vp1 = world.peer('vp1', { rootNodes: ['vp0:7051'] })
    vp0.network.declare({
      settings: new Map([
        ['ledger.state', 'aa'],
        ['only.here', 'x'],
      ]),
    })
    vp1.network.declare({ settings: new Map([['ledger.state', 'bb']]) })
    vp1.network.start()
    await world.run(1000)
    expect(connectedIds(vp0)).toEqual([])
    for (const { log } of [vp0, vp1]) expect(log.join()).toContain('ERR_NETWORK_SETTINGS: validators must agree on ledger.state')
    vp1.network.declare({ settings: new Map([['ledger.state', 'aa']]) })
    await world.run(8000)
    expect(connectedIds(vp0)).toEqual(['vp1'])
  })

  test('originals are refused where a declaration says so, naming the key; other validators are not', async () => {
    const world = new World()
    const peer = world.peer('vp0')
    peer.network.declare({ settings: new Map(), refuseOriginals: 'peer.validator.compatibility is weft' })
    const refused = await original(world, peer, 'vp1')
    expect(refused.closed).toEqual(['peer.validator.compatibility is weft'])
    const weft = world.script(peer)
    weft.end.write(helloOf('vp2', {}))
    await world.run(10)
    expect(connectedIds(peer)).toEqual(['vp2'])
  })
})

describe('an original that dialled while it was dialled', () => {
  async function twoStreams(): Promise<{ world: World; peer: WorldPeer; mine: StreamEnd; theirs: Awaited<ReturnType<typeof original>> }> {
    const world = new World()
    const listener = world.listen('vp1:7051')
    const peer = world.peer('vp0', { rootNodes: ['vp1:7051'] })
    peer.network.start()
    await world.run(5)
    const [mine] = listener
    if (mine === undefined) throw new Error('vp0 dials vp1')
    mine.write(helloOf('vp1'))
    const theirs = await original(world, peer, 'vp1')
    return { world, peer, mine, theirs }
  }

  test('is asked on both streams; the one on which it answers is used, and the other one, dialled here, is ended', async () => {
    const { world, peer, theirs } = await twoStreams()
    expect(peer.network.status().links).toHaveLength(2)
    expect(typesOf(theirs.received)).toContain(Message_Type.DISC_GET_PEERS)
    theirs.end.write(encodeMessage(Message_Type.DISC_PEERS, encode(PeersMessage, { peers: [] })))
    await world.run(10)
    expect(peer.network.status().links).toMatchObject([{ id: 'vp1', dialled: false }])
    peer.network.transport.send(1, Buffer.from('x'))
    await world.run(10)
    expect(typesOf(theirs.received)).toContain(Message_Type.CONSENSUS)
  })

  test('is answered, and heard, on either stream', async () => {
    const { world, peer, mine, theirs } = await twoStreams()
    const heard = listen(peer)
    mine.write(encodeMessage(Message_Type.CONSENSUS, Buffer.from('a')))
    theirs.end.write(encodeMessage(Message_Type.CONSENSUS, Buffer.from('b')))
    await world.run(10)
    expect(heard).toEqual(['1 up', '1: a', '1: b'])
  })
})

describe('an ended link', () => {
  test('carries nothing more: what its other end had sent before it heard of the end is neither taken nor complained about', () => {
    const told: string[] = []
    let handlers: ChatHandlers | undefined
    const stream: ChatStream = {
      remote: 'vp1:7051',
      listen: (given) => (handlers = given),
      write: () => true,
      pause: () => undefined,
      resume: () => undefined,
      end: () => undefined,
    }
    const link = new Link(stream, 'vp1:7051', {
      clock: createVirtualClock(new VirtualTime()),
      defer: (task) => task(),
      received: (_, { type }) => void told.push(`received ${type}`),
      rejected: (_, why) => void told.push(why),
      lagging: () => undefined,
      closed: (_, reason) => void told.push(reason),
    })
    link.close('another link is kept')
    const sent = [encodeMessage(Message_Type.DISC_PEERS), pack([encodeMessage(Message_Type.DISC_GET_PEERS)])]
    for (const bytes of sent) handlers?.message(decode(Message, bytes))
    expect(told).toEqual(['another link is kept'])
  })
})

describe('traffic', () => {
  test('messages of one turn travel in one frame between Weft peers, in order, and one encoding goes to all', async () => {
    const { world, peers } = await mesh(3)
    const [vp0, vp1, vp2] = peers
    if (!vp0 || !vp1 || !vp2) throw new Error('three peers')
    const heard = [listen(vp1), listen(vp2)]
    const before = vp0.network.status().links
    const messages = Array.from({ length: 100 }, (_, index) => Buffer.from(`message ${index}`))
    for (const message of messages) for (const member of [1, 2]) vp0.network.transport.send(member, message)
    await world.run(10)
    for (const lines of heard) expect(lines.filter((line) => line.startsWith('0: '))).toEqual(messages.map((message) => `0: ${message.toString()}`))
    for (const [index, { sentFrames, sentMessages }] of vp0.network.status().links.entries()) {
      expect(sentMessages - (before[index]?.sentMessages ?? 0n)).toBe(100n)
      expect(sentFrames - (before[index]?.sentFrames ?? 0n)).toBe(1n)
    }
  })

  test('a packed message that is cut, nested or too long is dropped without harm', async () => {
    const world = new World()
    const peer = world.peer('vp0')
    const heard = listen(peer)
    const { end, closed } = world.script(peer)
    end.write(helloOf('vp1', {}))
    const inner = encodeMessage(Message_Type.CONSENSUS, Buffer.from('x'))
    end.write(pack([inner, pack([inner]), inner]))
    end.write(encodeMessage(Message_Type.WEFT_PACKED, Buffer.from('000000', 'hex')))
    end.write(encodeMessage(Message_Type.WEFT_PACKED, Buffer.from('ffffffff00', 'hex')))
    end.write(encodeMessage(Message_Type.WEFT_PACKED, Buffer.alloc(600_000)))
    end.write(encodeMessage(Message_Type.WEFT_PACKED, Buffer.from('00000002ffff', 'hex')))
    await world.run(10)
    expect(heard).toEqual(['1 up', '1: x', '1: x'])
    expect(closed).toEqual([])
  })

  test('a neighbour that takes nothing loses what waits, counts as down, and is up when it takes messages again', async () => {
    const { world, peers } = await mesh(2)
    const [vp0, vp1] = peers
    if (!vp0 || !vp1) throw new Error('two peers')
    const heard = listen(vp0)
    const there = listen(vp1)
    const stream = world.streams.find(({ written }) => written.length > 0)
    stream?.pause()
    stream?.other?.pause()
    for (let i = 0; i < 60_000; i++) vp0.network.transport.send(1, Buffer.from(`${i}`))
    await world.run(1)
    expect(heard).toEqual(['1 up', '1 down'])
    const [link] = vp0.network.status().links
    expect(link?.queuedMessages).toBeLessThanOrEqual(16_384n)
    expect(link?.lostMessages).toBeGreaterThan(0n)
    stream?.resume()
    stream?.other?.resume()
    await world.run(100)
    expect(heard).toEqual(['1 up', '1 down', '1 up'])
    vp0.network.transport.send(1, Buffer.from('after'))
    await world.run(10)
    expect(there.at(-1)).toBe('0: after')
  })

  test('a message of somebody who is no member, or says that it does not validate, is dropped', async () => {
    const world = new World()
    const peer = world.peer('vp0')
    const heard = listen(peer)
    const stranger = await original(world, peer, 'somebody')
    stranger.end.write(encodeMessage(Message_Type.CONSENSUS, Buffer.from('x')))
    const { end } = world.script(peer)
    end.write(encodeMessage(Message_Type.DISC_HELLO, encodeHello(endpoint('vp2', 'vp2:1', PeerEndpoint_Type.NON_VALIDATOR), EMPTY_LEDGER, undefined)))
    end.write(encodeMessage(Message_Type.CONSENSUS, Buffer.from('x')))
    await world.run(10)
    expect(heard).toEqual([])
  })

  test('a peer that does not validate drops consensus messages', async () => {
    const world = new World()
    const peer = world.peer('nvp0', { type: PeerEndpoint_Type.NON_VALIDATOR })
    const heard = listen(peer)
    const { end } = await original(world, peer, 'vp1')
    end.write(encodeMessage(Message_Type.CONSENSUS, Buffer.from('x')))
    await world.run(10)
    expect(heard).toEqual(['1 up'])
    expect(peer.network.status().rejected).toBe(1n)
  })

  test('messages of later epochs go to members that declare them alone', async () => {
    const { world, peers } = await mesh(2)
    const [vp0, vp1] = peers
    if (!vp0 || !vp1) throw new Error('two peers')
    const heard: string[] = []
    vp1.network.epochs.receive({ message: (from, bytes) => void heard.push(`${from}: ${Buffer.from(bytes).toString()}`), peer: () => undefined })
    const { received } = await original(world, vp0, 'vp2')
    for (const member of [1, 2]) vp0.network.epochs.send(member, Buffer.from('epoch 1'))
    await world.run(10)
    expect(heard).toEqual(['0: epoch 1'])
    expect(typesOf(received)).not.toContain(Message_Type.WEFT_EPOCH)
  })
})

describe('lists of peers', () => {
  test('a list that nobody asked for, or an endless one, is dropped; of a long one a part is dialled, and never this peer itself', async () => {
    const world = new World()
    const peer = world.peer('vp0')
    peer.network.start()
    const { end } = await original(world, peer, 'vp1')
    const list = (count: number): Uint8Array =>
      encode(PeersMessage, { peers: Array.from({ length: count }, (_, index) => endpoint(`x${index}`, `host${index}:${1 + (index % 60_000)}`)) })
    const answer = async (payload: Uint8Array): Promise<number> => {
      world.dialled.length = 0
      end.write(encodeMessage(Message_Type.DISC_PEERS, payload))
      await world.run(5)
      return world.dialled.length
    }
    expect(
      await answer(encode(PeersMessage, { peers: [endpoint('vp0', 'alias:1'), endpoint('me', 'vp0:7051'), endpoint('', 'x:1'), endpoint('bad', 'no port')] })),
    ).toBe(0)
    // The question of the first period was answered.
    expect(await answer(list(3))).toBe(0)
    await world.run(5000)
    expect(await answer(Buffer.alloc(2_000_000, '0a00', 'hex'))).toBe(0)
    await world.run(5000)
    expect(await answer(list(4000))).toBe(64)
  })

  test('whoever asks without end is answered at a bounded rate', async () => {
    const world = new World()
    const { end, received } = await original(world, world.peer('vp0'), 'vp1')
    for (let i = 0; i < 1000; i++) end.write(encodeMessage(Message_Type.DISC_GET_PEERS))
    await world.run(100)
    expect(received.filter(({ type }) => type === Message_Type.DISC_PEERS).length).toBeLessThan(30)
  })
})
