import type { EpochRecord } from '../../proto/index.js'
import type { Member } from './engine/engine.js'
import { faultsOf } from './swap/records.js'

/** Longer than any engine takes that is well, changes of its leader included. */
const LONG_MS = 10_000

/** What is known of an engine that runs. */
export interface Course {
  readonly record: EpochRecord
  /** The other members. */
  readonly others: readonly Member[]
  readonly isConnected: (member: Member) => boolean
  /** Accepted transactions that are in no block. */
  readonly waiting: number
  /** Milliseconds since the last block, or since the first of them came. */
  readonly stillMs: number
}

/** Why an engine that runs may order nothing, for operators; undefined: nothing is known against it. */
export function stallOf({ record, others, isConnected, waiting, stillMs }: Course): string | undefined {
  const missing = others.filter((member) => !isConnected(member))
  const needed = others.length - faultsOf(record)
  if (record.agreement && others.length - missing.length < needed) {
    const linked = `${others.length - missing.length} of ${others.length} other validators`
    return `it is connected to ${linked}, and ${record.engine} relies on ${needed}: no link to ${missing.map(({ id }) => id).join(', ')}`
  }
  if (waiting === 0 || stillMs < LONG_MS) return undefined
  return `${waiting} ${waiting === 1 ? 'transaction waits' : 'transactions wait'} here, and no block has come for ${Math.round(stillMs / 1000)} s`
}
