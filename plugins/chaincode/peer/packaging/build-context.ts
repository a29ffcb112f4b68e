import { gzipSync } from 'node:zlib'
import { refusal } from '../errors.js'
import type { SourceFile } from './source-files.js'

const BLOCK_BYTES = 512
const MAX_NAME_BYTES = 100
const MAX_PREFIX_BYTES = 155
/** Byte of a gzip header that names the operating system; 255 is unknown. */
const GZIP_OS_OFFSET = 9

/** A gzip-compressed tar whose bytes depend on the entries alone, in their order: all times, owners and groups are zero (spec/chaincode.md §12.4). */
export function packBuildContext(entries: readonly SourceFile[]): Uint8Array {
  const blocks: Uint8Array[] = []
  for (const { path, bytes } of entries) {
    const padding = (BLOCK_BYTES - (bytes.length % BLOCK_BYTES)) % BLOCK_BYTES
    blocks.push(header(path, bytes.length), bytes, new Uint8Array(padding))
  }
  const packed = gzipSync(Buffer.concat([...blocks, new Uint8Array(2 * BLOCK_BYTES)]), { level: 9 })
  packed.fill(0, 4, 8)
  packed[GZIP_OS_OFFSET] = 255
  return packed
}

function header(path: string, size: number): Uint8Array {
  const { prefix, name } = splitPath(path)
  const block = Buffer.alloc(BLOCK_BYTES)
  name.copy(block, 0)
  block.write('0100644\0', 100, 'latin1')
  block.write('0000000\0', 108, 'latin1')
  block.write('0000000\0', 116, 'latin1')
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1')
  block.write('00000000000\0', 136, 'latin1')
  block.fill(' ', 148, 156)
  block.write('0', 156, 'latin1')
  block.write('ustar\u000000', 257, 'latin1')
  prefix.copy(block, 345)
  const checksum = block.reduce((sum, byte) => sum + byte, 0)
  block.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

/** A path as ustar stores it: at most 100 bytes, and before a slash at most 155 more. */
function splitPath(path: string): { readonly prefix: Buffer; readonly name: Buffer } {
  const bytes = Buffer.from(path)
  if (bytes.length <= MAX_NAME_BYTES) return { prefix: Buffer.alloc(0), name: bytes }
  for (let at = bytes.indexOf('/'); at !== -1 && at <= MAX_PREFIX_BYTES; at = bytes.indexOf('/', at + 1)) {
    if (bytes.length - at - 1 <= MAX_NAME_BYTES) return { prefix: bytes.subarray(0, at), name: bytes.subarray(at + 1) }
  }
  throw refusal(`the path ${path} is too long for an archive of source files`)
}
