import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { crc32c } from './crc32c.js'

// LevelDB's write-ahead log: blocks of 32 KiB with records of a masked CRC-32C (4 bytes), a length (2), a type (1) and the data. All little-endian.
const BLOCK_BYTES = 32_768
const HEADER_BYTES = 7
const CRC_MASK_DELTA = 0xa282ead8
/** Types of records: a whole batch, or its first, a middle or its last piece. */
const WHOLE = 1
const FIRST = 2
const LAST = 4

/**
 * Where the write-ahead logs of a LevelDB directory have lost something that was durable; `undefined`: nowhere. LevelDB itself drops damaged records
 * and goes on with later ones, which are then a state that never was. A record that is cut off at the end is no damage: so a power cut leaves one that
 * nobody was told of. What is missing from the end altogether cannot be seen.
 */
export function damagedLog(directory: string): string | undefined {
  const files = readdirSync(directory)
  const logs = files.filter((file) => /^\d+\.log$/.test(file))
  if (logs.length === 0 && files.some((file) => /^\d+\.(ldb|sst)$/.test(file))) return 'the write-ahead log is missing'
  for (const file of logs.sort()) {
    const at = damagedAt(readFileSync(join(directory, file)))
    if (at !== undefined) return `the record at byte ${at} of ${file} is damaged, and there are later ones`
  }
  return undefined
}

/** Offset of the first damaged record that another batch follows. */
export function damagedAt(log: Uint8Array): number | undefined {
  const view = new DataView(log.buffer, log.byteOffset, log.byteLength)
  let at = 0
  while (log.length - at >= HEADER_BYTES) {
    const rest = BLOCK_BYTES - (at % BLOCK_BYTES)
    if (rest < HEADER_BYTES) {
      at += rest
      continue
    }
    const end = soundEnd(log, view, at)
    if (end === undefined) return isFollowed(log, view, at) ? at : undefined
    at = end
  }
  return undefined
}

/** Where the record at `at` ends if it is sound. */
function soundEnd(log: Uint8Array, view: DataView, at: number): number | undefined {
  const length = view.getUint16(at + 4, true)
  const type = log[at + 6] ?? 0
  const end = at + HEADER_BYTES + length
  if (type < WHOLE || type > LAST || end > log.length || (at % BLOCK_BYTES) + HEADER_BYTES + length > BLOCK_BYTES) return undefined
  const crc = crc32c(view, at + 6, end)
  const masked = (((crc >>> 15) | (crc << 17)) + CRC_MASK_DELTA) >>> 0
  return masked === view.getUint32(at, true) ? end : undefined
}

/** Whether a batch begins, soundly, after a damaged record: anywhere in its block, since its length may be wrong, or at the beginning of a later block. */
function isFollowed(log: Uint8Array, view: DataView, damaged: number): boolean {
  const blockEnd = Math.min(log.length, damaged - (damaged % BLOCK_BYTES) + BLOCK_BYTES)
  for (let at = damaged + 1; at + HEADER_BYTES <= blockEnd; at += 1) if (beginsBatch(log, view, at)) return true
  for (let block = blockEnd; block + HEADER_BYTES <= log.length; block += BLOCK_BYTES) {
    // A batch that was begun before goes on there: the next one begins behind its last piece.
    let at: number | undefined = block
    while (at !== undefined && at + HEADER_BYTES <= Math.min(log.length, block + BLOCK_BYTES)) {
      if (beginsBatch(log, view, at)) return true
      at = soundEnd(log, view, at)
    }
  }
  return false
}

function beginsBatch(log: Uint8Array, view: DataView, at: number): boolean {
  const type = log[at + 6]
  return (type === WHOLE || type === FIRST) && soundEnd(log, view, at) !== undefined
}
