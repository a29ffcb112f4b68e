import * as z from 'zod'
import { hex } from '../../../proto/index.js'
import { HASH_LENGTH } from '../hash.js'
import type { Height } from '../ledger.js'
import { type DataStructure, SHIPPED_SETTINGS } from '../settings.js'
import { badArchive, unknownArchive } from './errors.js'

/** What an archive says of itself in its first record (docs/reference/ledger-archive.md). */
export interface ArchiveHeader {
  readonly height: Height
  /** Hash of the newest block. */
  readonly head: Uint8Array
  readonly structure: DataStructure
  /** What the state hash depends on besides the key-values; empty but for a trie. */
  readonly context: Uint8Array
}

/** The last record: what was written. */
export interface ArchiveEnd {
  readonly blocks: Height
  readonly keys: bigint
  /** SHA-256 of everything before the last record, in hex. */
  readonly sha256: string
}

export const ARCHIVE_FORMAT = 'weft-ledger-archive'
export const ARCHIVE_VERSION = 1

const decimal = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,18})$/, 'expected a decimal number in quotation marks')
  .transform(BigInt)

const hexOf = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`), `expected ${bytes} bytes in lower-case hex`)

const structure = z.discriminatedUnion('name', [
  z.strictObject({
    name: z.literal('buckettree'),
    numBuckets: z.int().min(2).max(0xffffffff),
    maxGroupingAtEachLevel: z.int().min(2).max(0xffff),
  }),
  z.strictObject({ name: z.literal('trie'), rootIndexes: z.array(z.int().min(0).max(255)).max(256) }),
  z.strictObject({ name: z.literal('raw') }),
])

const versionShape = z.object({ format: z.literal(ARCHIVE_FORMAT), version: z.int() })

const headerShape = z.strictObject({
  format: z.literal(ARCHIVE_FORMAT),
  version: z.literal(ARCHIVE_VERSION),
  height: decimal.refine((height) => height > 0n, 'expected at least one block'),
  head: hexOf(HASH_LENGTH),
  dataStructure: structure,
})

const endShape = z.strictObject({ blocks: decimal, keys: decimal, sha256: hexOf(32) })

/** The bytes of a first record; the same header always gives the same bytes. */
export function encodeHeader({ height, head, structure: { structure: name, numBuckets, maxGroupingAtEachLevel }, context }: ArchiveHeader): Uint8Array {
  const dataStructure = {
    buckettree: { name, numBuckets, maxGroupingAtEachLevel },
    trie: { name, rootIndexes: [...context] },
    raw: { name },
  }[name]
  const header = { format: ARCHIVE_FORMAT, version: ARCHIVE_VERSION, height: String(height), head: hex(head), dataStructure }
  return Buffer.from(JSON.stringify(header))
}

/** Inverse of {@link encodeHeader}, of anything. Throws ERR_ARCHIVE, or ERR_ARCHIVE_VERSION for a later version. */
export function decodeHeader(bytes: Uint8Array): ArchiveHeader {
  const json = parseJson(bytes, 'its header')
  const { version } = checked(versionShape, json, 'its header')
  if (version !== ARCHIVE_VERSION) throw unknownArchive(`expected an archive of version ${ARCHIVE_VERSION}, found version ${version}`)
  const { height, head, dataStructure } = checked(headerShape, json, 'its header')
  const { numBuckets, maxGroupingAtEachLevel } = dataStructure.name === 'buckettree' ? dataStructure : SHIPPED_SETTINGS
  const context = dataStructure.name === 'trie' ? ascending(dataStructure.rootIndexes) : new Uint8Array(0)
  return { height, head: Buffer.from(head, 'hex'), structure: { structure: dataStructure.name, numBuckets, maxGroupingAtEachLevel }, context }
}

export function encodeEnd({ blocks, keys, sha256 }: ArchiveEnd): Uint8Array {
  return Buffer.from(JSON.stringify({ blocks: String(blocks), keys: String(keys), sha256 }))
}

/** Inverse of {@link encodeEnd}, of anything. Throws ERR_ARCHIVE. */
export function decodeEnd(bytes: Uint8Array): ArchiveEnd {
  return checked(endShape, parseJson(bytes, 'its last record'), 'its last record')
}

function ascending(indexes: readonly number[]): Uint8Array {
  if (indexes.some((index, at) => at > 0 && index <= (indexes[at - 1] ?? 0))) throw badArchive('rootIndexes of its header are not ascending')
  return Uint8Array.from(indexes)
}

function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw badArchive(`${what} is not JSON (${cause instanceof Error ? cause.message.slice(0, 200) : 'unreadable'})`)
  }
}

function checked<T>(shape: z.ZodType<T>, json: unknown, what: string): T {
  const result = shape.safeParse(json)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw badArchive(`${what}: ${issue?.path.join('.') || 'the whole'}: ${issue?.message}`)
}
