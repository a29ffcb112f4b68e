import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { encode, HelloMessage, Message, Message_Type, openStream, PeerEndpoint_Type, PeerService } from '../../proto/index.js'
import { TestClient } from './support/client.js'
import { connectedTo, prepareNetwork, type ShownLink, untilMeshed } from './support/network.js'
import { startPeer, until } from './support/peer.js'

test('four peers that start together know each other, by one packed link per pair', async () => {
  const peers = await prepareNetwork({ peers: 4 })
  await Promise.all(peers.map((peer) => peer.start()))
  await untilMeshed(peers)
  const ends: string[] = []
  for (const peer of peers) {
    const { stdout } = await peer.cli('network', 'status', '--json')
    const { id, links }: { id: string; links: ShownLink[] } = JSON.parse(stdout)
    expect(links.every(({ packed, weft, type }) => packed && weft && type === 'VALIDATOR')).toBe(true)
    for (const link of links) ends.push([id, link.id].sort().join('-') + (link.dialled ? ' dialled' : ' accepted'))
  }
  const pairs = ['vp0-vp1', 'vp0-vp2', 'vp0-vp3', 'vp1-vp2', 'vp1-vp3', 'vp2-vp3']
  expect(ends.sort()).toEqual(pairs.flatMap((pair) => [`${pair} accepted`, `${pair} dialled`]))
})

test('a peer that dies is seen to be gone, and is back by itself when it runs again', async () => {
  const [vp0, vp1] = await prepareNetwork({ peers: 2 })
  if (!vp0 || !vp1) throw new Error('two peers')
  await Promise.all([vp0.start(), vp1.start()])
  await untilMeshed([vp0, vp1])
  await vp0.killHard()
  await until('vp1 is alone', async () => (await connectedTo(vp1)).length === 0)
  await vp0.start()
  await untilMeshed([vp0, vp1])
})

test('a peer that does not validate forwards transactions and queries to a validator, with its answers', async () => {
  const [validator, other] = await prepareNetwork({
    peers: 2,
    set: { 'consensus.validators': 'vp0' },
    setOf: (index): Readonly<Record<string, string>> => (index === 0 ? {} : { 'peer.id': 'nvp0', 'peer.validator.enabled': 'false' }),
  })
  if (!validator || !other) throw new Error('two peers')
  await validator.start()
  await other.launch().until('it is connected', async () => (await other.isAnswering()) && (await connectedTo(other)).length === 1)
  await other.client.invoke('example02', 'invoke', 'a', 'b', '10')
  await validator.untilHeight(2n)
  expect(await other.client.query('example02', 'query', 'b')).toBe('1000010')
  await expect(other.client.query('nobody', 'query', 'b')).rejects.toThrow(/^2 UNKNOWN: Error:/)
  await expect(other.client.info()).rejects.toThrow('No blocks in blockchain.')
  await validator.killHard()
  await until('nobody is connected', async () => (await connectedTo(other)).length === 0)
  await expect(other.client.invoke('example02', 'invoke', 'a', 'b', '10')).rejects.toThrow(/no validator is connected/)
})

test('a scripted original shakes hands over gRPC; floods of anything leave the peer in good health', async () => {
  // Networks with originals are v0.6 ones; there is no example02 in them.
  const peer = await startPeer({ set: { 'consensus.validators': 'vp0,vp1', 'peer.validator.compatibility': 'v0.6', 'chaincode.launcher': 'process' } })
  const client = new TestClient(peer.address)
  const stream = openStream(client.grpc, PeerService.chat)
  const received: Message[] = []
  stream.on('data', (message: Message) => void received.push(message)).on('error', () => undefined)
  const endpoint = { ID: { name: 'vp1' }, address: '127.0.0.1:1', type: PeerEndpoint_Type.VALIDATOR, pkiID: new Uint8Array(0) }
  const blockchainInfo = { height: 0n, currentBlockHash: new Uint8Array(0), previousBlockHash: new Uint8Array(0) }
  const say = (type: Message_Type, payload: Uint8Array = new Uint8Array(0)): boolean => stream.write(Message.fromPartial({ type, payload }))
  say(Message_Type.DISC_HELLO, encode(HelloMessage, { peerEndpoint: endpoint, blockchainInfo }))
  say(Message_Type.DISC_GET_PEERS)
  await until('it is answered', () => received.some(({ type }) => type === Message_Type.DISC_PEERS))
  expect(received[0]?.type).toBe(Message_Type.DISC_HELLO)
  const noise = randomBytes(1128)
  for (let i = 0; i < 20_000; i++) {
    // Of any type, with a payload of 128 to 1127 bytes.
    const payload = noise.subarray(0, 128 + (i % 1000))
    const frame = Buffer.concat([Buffer.from([0x08, i % 110, 0x1a, (payload.length & 0x7f) | 0x80, payload.length >> 7]), payload])
    if (!stream.write(frame)) await new Promise((resolve) => stream.once('drain', resolve))
  }
  await until('it has read all', async () => JSON.parse((await peer.cli('network', 'status', '--json')).stdout).links[0].receivedMessages > 19_000)
  expect(await connectedTo(peer)).toEqual(['vp1'])
  expect(await peer.client.status()).toBe('STARTED')
  expect((await peer.client.info()).height).toBe(1n)
  stream.cancel()
  client.close()
})
