import { createSync } from '../../plugins/network/state-transfer/create.js'
import type { StateTransferService } from '../../plugins/consensus/index.js'
import { createLedger, type LedgerSettings, type SyncableLedger } from '../../plugins/ledger/index.js'
import { fixedClock, text, transactionOf } from '../ledger/kit.js'
import { FakeStore } from '../ledger/fake-store.js'
import { type SyncSettings, syncSettings } from './sync-settings.js'
import { recordingLogger, World, type WorldPeer } from './world.js'

export const MEMBERS: readonly string[] = ['vp0', 'vp1', 'vp2', 'vp3']
export const EMPTY_LEDGER = { height: 0n, currentBlockHash: new Uint8Array(0), previousBlockHash: new Uint8Array(0) }

/** A peer with a ledger that can be transferred, both ways. */
export interface TransferPeer extends WorldPeer {
  readonly ledger: SyncableLedger
  readonly transfer: StateTransferService
  readonly transferLog: string[]
}

export interface TransferPeerOptions {
  readonly sync?: Partial<SyncSettings>
  readonly ledger?: Partial<LedgerSettings>
  readonly store?: FakeStore
  readonly session?: string
  readonly genesis?: boolean
}

/** A validator of `members` that dials vp0. */
export async function transferPeer(world: World, id: string, members: readonly string[], options: TransferPeerOptions = {}): Promise<TransferPeer> {
  const store = options.store ?? new FakeStore()
  const ledger = await createLedger({ store, clock: fixedClock, settings: { numBuckets: 100, ...options.ledger }, genesis: options.genesis ?? true })
  const peer = world.peer(id, {
    store,
    members,
    rootNodes: members.map((member) => `${member}:7051`),
    ...(options.session === undefined ? {} : { session: options.session }),
  })
  const transferLog: string[] = []
  const { handler, transfer } = createSync({
    network: peer.network,
    ledger,
    clock: world.clock,
    log: recordingLogger(transferLog),
    random: () => world.random.next(),
    members,
    settings: syncSettings(options.sync ?? {}),
  })
  peer.network.sync = handler
  peer.network.start()
  return { ...peer, ledger, transfer, transferLog }
}

/** Commits blocks, the same on every ledger: each changes a few of 50 keys, the values depend on the number of the block and on `salt`. */
export async function commitBlocks(ledgers: readonly SyncableLedger[], count: number, salt = ''): Promise<void> {
  for (const ledger of ledgers) {
    for (let i = 0; i < count; i++) {
      const number = Number(ledger.height())
      const batch = ledger.openBatch()
      const txid = `tx${salt}-${number}`
      const transaction = batch.begin(txid)
      for (let k = 0; k < 3; k++) transaction.put(text('cc'), text(`key${(number * 7 + k * 13) % 50}`), text(`${salt}${number}`))
      if (number % 5 === 0) transaction.delete(text('cc'), text(`key${(number * 3) % 50}`))
      transaction.finish(true)
      await batch.commit([{ bytes: transactionOf(txid), result: { txid } }], undefined)
    }
  }
}

/** Chain and state of two ledgers are the same, and sound. */
export async function sameLedger(a: SyncableLedger, b: SyncableLedger): Promise<boolean> {
  const [left, right] = [await a.verify(), await b.verify()]
  return (
    left.faults.length === 0 &&
    right.faults.length === 0 &&
    a.height() === b.height() &&
    Buffer.compare(a.info().currentBlockHash, b.info().currentBlockHash) === 0 &&
    Buffer.compare(a.stateHash() ?? Buffer.alloc(0), b.stateHash() ?? Buffer.alloc(0)) === 0
  )
}

/** What a transfer to the head of `from`, vouched for by some members, ends with; virtual time passes meanwhile. */
export async function transferTo(
  world: World,
  peer: TransferPeer,
  from: Pick<SyncableLedger, 'info'>,
  members: readonly number[] = [],
): Promise<Awaited<ReturnType<StateTransferService['transfer']>>> {
  const { height, currentBlockHash: hash } = from.info()
  const settled: { result?: Awaited<ReturnType<StateTransferService['transfer']>>; failure?: unknown } = {}
  peer.transfer.transfer({ height, hash, members }).then(
    (result) => {
      settled.result = result
    },
    (failure: unknown) => {
      settled.failure = failure
    },
  )
  for (let i = 0; i < 20_000 && settled.result === undefined && settled.failure === undefined; i++) await world.run(20)
  if (settled.failure instanceof Error) throw settled.failure
  if (settled.result === undefined) throw new Error('the transfer does not end')
  return settled.result
}

/** Some peers with the same blocks, and one that joins them without. */
export async function lateNetwork(
  count: number,
  blocks: number,
  late: TransferPeerOptions = {},
): Promise<{ world: World; peers: TransferPeer[]; behind: TransferPeer }> {
  const world = new World()
  const peers: TransferPeer[] = []
  for (const id of MEMBERS.slice(0, count)) peers.push(await transferPeer(world, id, MEMBERS))
  await commitBlocks(
    peers.map(({ ledger }) => ledger),
    blocks,
  )
  const behind = await transferPeer(world, MEMBERS[count] ?? '', MEMBERS, late)
  await world.run(2000)
  return { world, peers, behind }
}
