import { onTestFinished } from 'vitest'
import { OpenchainService } from '../../../proto/index.js'
import { type PeerSettings, temporaryDirectory, TestPeer, until } from './peer.js'
import { freePort } from './ports.js'

/** How the peers of a test's network differ from the default site. */
export interface NetworkSettings {
  readonly peers: number
  /** Keys for all of them. */
  readonly set?: Readonly<Record<string, string>>
  /** Keys of one. */
  readonly setOf?: (index: number) => Readonly<Record<string, string>>
}

/** Validators vp0, vp1, ... on loopback that all know vp0 as their root node; not started. Ended with the test. */
export async function prepareNetwork({ peers: count, set, setOf }: NetworkSettings): Promise<readonly TestPeer[]> {
  const ports = await Promise.all(Array.from({ length: count }, freePort))
  const ids = ports.map((_, index) => `vp${index}`)
  const peers = ports.map((port, index) => {
    const settings: PeerSettings = {
      set: {
        'peer.id': `vp${index}`,
        'peer.discovery.rootnode': `127.0.0.1:${ports[0]}`,
        'consensus.validators': ids.join(','),
        ...set,
        ...setOf?.(index),
      },
    }
    return new TestPeer(temporaryDirectory(), `127.0.0.1:${port}`, '127.0.0.1:0', settings)
  })
  onTestFinished(async () => void (await Promise.all(peers.map((peer) => peer.dispose()))))
  return peers
}

/** As `peer network status --json` prints it. */
export interface ShownLink {
  readonly id: string
  readonly address: string
  readonly type: string
  readonly dialled: boolean
  readonly packed: boolean
  readonly weft: boolean
  readonly sentMessages: number
  readonly receivedMessages: number
  readonly lostMessages: number
}

/** The ids to which a peer says it is connected, sorted. */
export async function connectedTo(peer: TestPeer): Promise<readonly string[]> {
  const { peers } = await peer.client.call(OpenchainService.getPeers, {})
  return peers.map(({ ID }) => ID?.name ?? '').sort()
}

/** Waits until every peer is connected to all others. */
export async function untilMeshed(peers: readonly TestPeer[], timeoutMs = 120_000): Promise<void> {
  await until('a full mesh', async () => (await Promise.all(peers.map((peer) => connectedTo(peer)))).every((ids) => ids.length === peers.length - 1), timeoutMs)
}
