import { createHash } from 'node:crypto'
import { badArchive, byteText } from './errors.js'
import { type ArchiveEnd, decodeEnd } from './header.js'
import { FRAME_HEAD_BYTES, FRAME_TAIL_BYTES, MAGIC, MAX_JSON_BYTES, MAX_RECORD_BYTES, RECORD, SKIPPABLE_BIT, frameTail } from './records.js'

/** A record of an archive with a right checksum; of what is in it nothing is known yet. */
export type ArchiveRecord = { readonly kind: 'header' | 'block' | 'state'; readonly payload: Uint8Array } | { readonly kind: 'end'; readonly end: ArchiveEnd }

export interface ReadOptions {
  /** Longest record that is read. Default 256 MiB. */
  readonly maxRecordBytes?: number
}

/**
 * The records of an archive from anywhere. Memory is taken for what has arrived, never for what a length announces. The last one is `end`, whose SHA-256
 * has been compared, and nothing follows it.
 *
 * @throws PeerError ERR_ARCHIVE at the first thing that is wrong
 */
export async function* readArchive(source: AsyncIterable<Uint8Array>, { maxRecordBytes = MAX_RECORD_BYTES }: ReadOptions = {}): AsyncGenerator<ArchiveRecord> {
  const input = new Input(source)
  try {
    yield* records(input, maxRecordBytes)
  } finally {
    await input.close()
  }
}

async function* records(input: Input, maxRecordBytes: number): AsyncGenerator<ArchiveRecord> {
  const magic = await input.take(MAGIC.length, 'its first bytes')
  if (Buffer.compare(magic, MAGIC) !== 0) throw badArchive('it does not begin as a ledger archive does')
  const sha256 = createHash('sha256').update(magic)
  for (;;) {
    const start = input.offset
    const head = await input.take(FRAME_HEAD_BYTES, `the record at byte ${start}`)
    const kind = head[0] ?? 0
    const length = head.readUInt32BE(1)
    const limit = kind === RECORD.header || kind === RECORD.end ? MAX_JSON_BYTES : maxRecordBytes
    if (length > limit) throw badArchive(`the record at byte ${start} announces ${length} bytes, at most ${limit} are read (--max-record)`)
    const payload = await input.take(length, `the record at byte ${start}`)
    const tail = await input.take(FRAME_TAIL_BYTES, `the record at byte ${start}`)
    if (Buffer.compare(tail, frameTail(head, payload)) !== 0)
      throw badArchive(`the checksum of the record at byte ${start} is wrong: bytes were changed or lost`)
    const name = KINDS.get(kind)
    if (name === 'end') {
      yield { kind: 'end', end: endOf(payload, sha256.digest('hex')) }
      await input.requireEnd()
      return
    }
    sha256.update(head).update(payload).update(tail)
    if (name) yield { kind: name, payload }
    else if ((kind & SKIPPABLE_BIT) === 0) throw badArchive(`the record at byte ${start} has the kind ${byteText(kind)}, which this version does not know`)
  }
}

const KINDS = new Map<number, ArchiveRecord['kind']>([
  [RECORD.header, 'header'],
  [RECORD.block, 'block'],
  [RECORD.state, 'state'],
  [RECORD.end, 'end'],
])

function endOf(payload: Uint8Array, sha256: string): ArchiveEnd {
  const end = decodeEnd(payload)
  if (end.sha256 !== sha256) throw badArchive(`its SHA-256 is ${sha256}, its last record says ${end.sha256}`)
  return end
}

/** Bytes in the lengths that are asked for. */
class Input {
  offset = 0
  private readonly iterator: AsyncIterator<Uint8Array>
  private chunks: Uint8Array[] = []
  private available = 0

  constructor(source: AsyncIterable<Uint8Array>) {
    this.iterator = source[Symbol.asyncIterator]()
  }

  async take(length: number, what: string): Promise<Buffer> {
    while (this.available < length) {
      if (!(await this.more())) throw badArchive(`it ends at byte ${this.offset + this.available}, inside ${what}`)
    }
    return this.cut(length)
  }

  async requireEnd(): Promise<void> {
    do {
      if (this.available > 0) throw badArchive(`there are bytes after its last record, from byte ${this.offset} on`)
    } while (await this.more())
  }

  /** Tells the source that no more is wanted. */
  async close(): Promise<void> {
    await this.iterator.return?.()
  }

  private async more(): Promise<boolean> {
    const { done, value } = await this.iterator.next()
    if (done) return false
    if (value.length > 0) this.chunks.push(value)
    this.available += value.length
    return true
  }

  private cut(length: number): Buffer {
    const parts: Uint8Array[] = []
    let missing = length
    while (missing > 0) {
      const first = this.chunks[0] ?? new Uint8Array(0)
      const part = first.subarray(0, missing)
      parts.push(part)
      missing -= part.length
      if (part.length === first.length) this.chunks.shift()
      else this.chunks[0] = first.subarray(part.length)
    }
    this.offset += length
    this.available -= length
    return Buffer.concat(parts, length)
  }
}
