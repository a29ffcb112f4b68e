import * as z from 'zod'
import { defineKeys, duration, integer, key, PeerError } from '../../kernel/index.js'
import { type Batching, batchingKind, optionFaults } from '../consensus/index.js'

export interface NoopsOptions {
  /** Transactions that make a block full. */
  readonly size: number
  /** Milliseconds after the first transaction until a block is made. */
  readonly waitMs: number
  readonly batching: Batching
}

/** Below 1 is 1 (spec/consensus.md §4.1). */
const size = integer().transform((count) => Math.max(1, count))

/** A plain whole number is seconds, otherwise a duration with units; zero is refused (spec/consensus.md §4.1). The value read is in milliseconds. */
const wait = z.union([z.number(), z.string()]).transform((written, context): number => {
  const text = String(written)
  const read = duration().safeParse(/^\d+$/.test(text) ? `${text}s` : text)
  if (read.success && read.data > 0) return read.data
  context.addIssue({ code: 'custom', message: `expected whole seconds or a duration such as 500ms, above zero; found '${text}'` })
  return z.NEVER
})

const schema = z.strictObject({
  'block.size': size.default(500),
  'block.wait': wait.default(1000),
  batching: batchingKind().default('adaptive'),
})

/** The keys of noops (spec/consensus.md §4.1; `CORE_NOOPS_BLOCK_SIZE`, `CORE_NOOPS_BLOCK_WAIT`). What is read is in milliseconds. */
export const noopsKeys = defineKeys({
  'noops.block.size': key(size, 500, 'transactions per block; below 1 is 1'),
  'noops.block.wait': key(wait, '1s', 'time after the first transaction until a block is made; a plain number is seconds'),
  'noops.batching': key(batchingKind(), 'adaptive', 'adaptive: an idle peer makes a block at once; fixed: v0.6, on noops.block.size or after noops.block.wait'),
})

/** Reads options as people write them: `{ 'block.size': 500, 'block.wait': '1s', batching: 'adaptive' }`, all optional. Throws ERR_NOOPS_OPTIONS. */
export function parseNoopsOptions(raw: unknown): NoopsOptions {
  const parsed = schema.safeParse(raw ?? {})
  if (parsed.success) return { size: parsed.data['block.size'], waitMs: parsed.data['block.wait'], batching: parsed.data.batching }
  const faults = optionFaults(parsed.error, raw, Object.keys(schema.shape))
  throw new PeerError('ERR_NOOPS_OPTIONS', `the options of noops are wrong: ${faults.join('; ')}`, { details: { faults } })
}
