import { crc32 } from 'node:zlib'

/** First bytes of every archive. The last two tell a transfer that changed line ends. */
export const MAGIC: Uint8Array = Buffer.from('WEFTAR\r\n', 'latin1')

/**
 * Kinds of records, one byte each. A reader skips kinds that it does not know if bit 5 is set (a lower-case letter) and refuses the others.
 */
export const RECORD = Object.freeze({ header: 0x48, block: 0x42, state: 0x53, end: 0x45 })
export const SKIPPABLE_BIT = 0x20

/** Kind and length in front of a record, checksum after it. */
export const FRAME_HEAD_BYTES = 5
export const FRAME_TAIL_BYTES = 4

/** JSON records are short. */
export const MAX_JSON_BYTES = 64 * 1024
/** Default bound of a record of blocks or state for readers; the length field itself goes to 4 GiB. */
export const MAX_RECORD_BYTES = 256 * 1024 * 1024

/** What stands in front of a payload: kind and length. */
export function frameHead(kind: number, length: number): Buffer {
  const head = Buffer.allocUnsafe(FRAME_HEAD_BYTES)
  head[0] = kind
  head.writeUInt32BE(length, 1)
  return head
}

/** What follows a payload: CRC-32 of head and payload. */
export function frameTail(head: Uint8Array, payload: Uint8Array): Buffer {
  const tail = Buffer.allocUnsafe(FRAME_TAIL_BYTES)
  tail.writeUInt32BE(crc32(payload, crc32(head)))
  return tail
}
