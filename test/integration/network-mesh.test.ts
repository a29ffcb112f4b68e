import { expect, test } from 'vitest'
import { prepareNetwork, type ShownLink, untilMeshed } from './support/network.js'

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
