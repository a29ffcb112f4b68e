import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf, PeerError } from '../../kernel/index.js'
import type { PeerPlan } from './plan.js'

const PATIENCE_MS = 1000
const LOOK_EVERY_MS = 50

/** Throws ERR_DEVNET_PORTS, naming every port of these peers that something else has. */
export async function checkPorts(peers: readonly PeerPlan[]): Promise<void> {
  const wanted = peers.flatMap(({ id, address, restAddress, eventsAddress, metricsAddress }) => [
    { use: `${id}, peers and clients`, address },
    { use: `${id}, REST`, address: restAddress },
    { use: `${id}, events`, address: eventsAddress },
    { use: `${id}, metrics`, address: metricsAddress },
  ])
  const look = () => Promise.all(wanted.map(async ({ use, address }) => ({ use, address, problem: await problemWith(address) })))
  let taken = (await look()).filter(({ problem }) => problem !== undefined)
  // A peer that was killed keeps its ports for a moment, until the last of its threads has ended.
  for (const deadline = performance.now() + PATIENCE_MS; taken.length > 0 && performance.now() < deadline; await sleep(LOOK_EVERY_MS)) {
    taken = (await look()).filter(({ problem }) => problem !== undefined)
  }
  if (taken.length === 0) return
  throw new PeerError('ERR_DEVNET_PORTS', `the devnet cannot have ${taken.map(({ use, address, problem }) => `${address} (${use}): ${problem}`).join('; ')}`, {
    hint: 'stop what listens there (another devnet? a peer of this machine?), or put the devnet elsewhere: peer devnet down --wipe && peer devnet up --port 17050',
    details: { addresses: taken.map(({ address }) => address) },
  })
}

function problemWith(address: string): Promise<string | undefined> {
  const colon = address.lastIndexOf(':')
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => resolve('code' in error && error.code === 'EADDRINUSE' ? 'in use' : messageOf(error)))
    server.listen({ host: address.slice(0, colon), port: Number(address.slice(colon + 1)) }, () => server.close(() => resolve(undefined)))
  })
}
