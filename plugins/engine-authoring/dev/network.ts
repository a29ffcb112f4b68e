import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PeerError } from '../../../kernel/index.js'
import { createDevnet, type Devnet, type DevnetPlan, findDevnet, removeDevnet, type StartedPeer } from '../../devnet/index.js'

export interface NetworkWish {
  /** Undefined: a temporary one, of which nothing stays. */
  readonly directory: string | undefined
  /** What a devnet that is made has. One that is there has to agree. */
  readonly validators: number | undefined
  readonly port: number | undefined
  /** The site that its peers extend. */
  readonly base: string
  readonly readyMs: number
  readonly signal: AbortSignal
  readonly say: (text: string) => void
}

/** A devnet whose validators can order transactions. */
export interface DevNetwork {
  readonly devnet: Devnet
  /** For the tarballs of builds. */
  readonly scratch: string
  /** Ends what was started here, and removes what was made. */
  close(): Promise<void>
}

/** The engine that a new devnet begins with; what is being written is swapped in. */
const FIRST: Pick<DevnetPlan, 'engine' | 'tls' | 'set'> = { engine: 'pbft', tls: false, set: {} }
const [VALIDATORS, PORT] = [4, 7050]

/** Brings up a devnet: a new one, or the one that is in the directory, of which those validators are started that do not run. Rejects with what devnets reject with. */
export async function openNetwork(wish: NetworkWish): Promise<DevNetwork> {
  const scratch = await mkdtemp(join(tmpdir(), 'weft-dev-'))
  let devnet: Devnet | undefined
  let started: readonly StartedPeer[] = []
  const close = async (): Promise<void> => {
    if (devnet) await endPeers(devnet, started, wish)
    await rm(scratch, { recursive: true, force: true })
  }
  try {
    devnet = await devnetOf(wish, scratch)
    started = await devnet.start(devnet.peers, wish.say)
    await readyUnlessAborted(devnet, started, wish)
    return { devnet, scratch, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function devnetOf({ directory, validators, port, base }: NetworkWish, scratch: string): Promise<Devnet> {
  const place = directory ?? join(scratch, 'devnet')
  const found = findDevnet(place)
  if (!found) return createDevnet(place, { ...FIRST, validators: validators ?? VALIDATORS, port: port ?? PORT }, base)
  const { plan } = found
  if ((validators ?? plan.validators) === plan.validators && (port ?? plan.port) === plan.port) return found
  throw new PeerError('ERR_DEVNET_EXISTS', `${place} holds a devnet of ${plan.validators} validators, port ${plan.port}`, {
    hint: 'leave --validators and --port out to use it, or name another --dir',
  })
}

/** With the first signal to end the peers end too, and so does the waiting for them. */
async function readyUnlessAborted(devnet: Devnet, started: readonly StartedPeer[], { readyMs, signal }: NetworkWish): Promise<void> {
  const end = (): void => started.forEach(({ child }) => child.kill('SIGKILL'))
  signal.addEventListener('abort', end, { once: true })
  try {
    if (signal.aborted) end()
    await devnet.ready(started, readyMs)
  } catch (error) {
    throw signal.aborted ? new PeerError('ERR_INTERRUPTED', 'interrupted: the network is taken down again', { cause: error }) : error
  } finally {
    signal.removeEventListener('abort', end)
  }
}

async function endPeers(devnet: Devnet, started: readonly StartedPeer[], { directory, say }: NetworkWish): Promise<void> {
  devnet.close()
  if (directory === undefined) {
    await Promise.all(started.map(({ peer }) => devnet.kill(peer)))
    return removeDevnet(devnet)
  }
  for (const { id } of await devnet.stop(started.map(({ peer }) => peer))) say(`${id} did not end in time and was killed`)
}
