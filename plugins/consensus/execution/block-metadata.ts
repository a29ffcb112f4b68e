import { decode, encode, EpochBlockMetadata } from '../../../proto/index.js'
import type { Ledger } from '../../ledger/index.js'

/** What a block's consensus metadata says of its epoch. */
export interface BlockMetadata {
  readonly epoch: bigint
  /** What the engine gave; undefined: nothing. */
  readonly engine: Uint8Array | undefined
  /** Identities (32 bytes) of the requests that were executed for it and rejected. */
  readonly rejected: readonly Uint8Array[]
}

/** The consensus metadata of a block: in epoch 0 what the engine gave, as v0.6 has it; later with the epoch and the rejected requests. */
export function blockMetadata({ epoch, engine, rejected }: BlockMetadata): Uint8Array | undefined {
  if (epoch === 0n) return engine
  return encode(EpochBlockMetadata, { epoch, engine: engine ?? new Uint8Array(0), rejected: [...rejected] })
}

/** Reads the metadata of block `number`, whose epoch follows from the activation block of the present epoch: only later blocks are of it. */
export function metadataOf(ledger: Pick<Ledger, 'block'>, number: bigint, isOfFirstEpoch: boolean): BlockMetadata {
  const stored = ledger.block(number)?.consensusMetadata
  const bytes = stored && stored.length > 0 ? stored : undefined
  if (isOfFirstEpoch || bytes === undefined) return { epoch: 0n, engine: bytes, rejected: [] }
  const { epoch, engine, rejected } = decode(EpochBlockMetadata, bytes)
  return { epoch, engine: engine.length > 0 ? engine : undefined, rejected }
}

/** What the engine of an epoch gave to its last block; undefined if it has none, or gave nothing. `activation`: last block of the epoch before. */
export function engineMetadata(ledger: Pick<Ledger, 'block' | 'height'>, epoch: bigint, activation: bigint | undefined): Uint8Array | undefined {
  const last = ledger.height() - 1n
  if (last < 0n || (epoch > 0n && (activation === undefined || last <= activation))) return undefined
  return metadataOf(ledger, last, epoch === 0n).engine
}
