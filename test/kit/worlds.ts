import type { TransferTarget } from '../../plugins/consensus/index.js'
import { createLedger, decodeDelta, encodeDelta, type Ledger, type SyncableLedger } from '../../plugins/ledger/index.js'
import { type LogicalLedger, openLogicalLedger } from './logical-ledger.js'
import type { LedgerOpener } from './simulated-peer.js'
import type { StateLie } from './state-lie.js'

/** A kind of ledger in a simulation: how it is opened, and how one member's is brought to a block of another's. */
export interface LedgerWorld<L extends Ledger> {
  readonly openLedger: LedgerOpener<L>
  /** Resolves false if `from` cannot give it, or if what it gives is not what the target's blocks say; `lie`: what it puts into its state. */
  readonly transfer: (to: L, from: L, target: TransferTarget, lie?: StateLie) => Promise<boolean>
  /** False: a crash interrupted a transfer, which has to be finished before the member may take part. Default: always true. */
  readonly isWhole?: (ledger: L) => boolean
}

/** Real blocks, a hash chain in the place of the state's hash; fast. */
export const logicalWorld: LedgerWorld<LogicalLedger> = { openLedger: openLogicalLedger, transfer: copyLogical }

/** The real ledger, with a bucket tree of a few levels. */
export const realWorld: LedgerWorld<SyncableLedger> = {
  openLedger: (store, clock) =>
    createLedger({ store, clock, settings: { numBuckets: 101, maxGroupingAtEachLevel: 10, deltaHistorySize: 100_000 }, genesis: true }),
  transfer: copyReal,
  isWhole: (ledger) => ledger.stateBlock() === ledger.height() - 1n,
}

async function copyLogical(to: LogicalLedger, from: LogicalLedger, target: TransferTarget, lie?: StateLie): Promise<boolean> {
  return holds(from, target) && (await to.copyFrom(from, target.height, lie))
}

/** Block by block with its state delta: one that a crash interrupts is a block ahead of its state. */
async function copyReal(to: SyncableLedger, from: SyncableLedger, target: TransferTarget, lie?: StateLie): Promise<boolean> {
  if (!holds(from, target)) return false
  for (let number = (to.stateBlock() ?? -1n) + 1n; number < target.height; number += 1n) {
    const bytes = from.blockBytes(number)
    const delta = from.stateDelta(number)
    if (bytes === undefined || delta === undefined) return false
    if (number >= to.height()) await to.putRawBlocks([{ number, bytes }])
    const isLast = number === target.height - 1n
    const applied = await to.applyStateDelta(lie && isLast ? withLie(delta, lie) : delta)
    if (Buffer.compare(applied.stateHash ?? NOTHING, to.block(number)?.stateHash ?? NOTHING) !== 0) {
      applied.rollback()
      return false
    }
    await applied.commit(number)
  }
  return true
}

function withLie(delta: Uint8Array, { chaincode, key, value }: StateLie): Uint8Array {
  const changed = decodeDelta(delta)
  changed.set(Buffer.from(chaincode), Buffer.from(key), value, undefined)
  return encodeDelta(changed)
}

const NOTHING = new Uint8Array()

function holds(ledger: Ledger, { height, hash }: TransferTarget): boolean {
  if (ledger.height() < height) return false
  const own = ledger.height() === height ? ledger.info().currentBlockHash : ledger.block(height)?.previousBlockHash
  return own !== undefined && Buffer.compare(own, hash) === 0
}
