import { PeerError } from '../../../kernel/index.js'

/** One regular file of an archive. */
export interface TarFile {
  readonly name: string
  readonly bytes: Uint8Array
}

const BLOCK_BYTES = 512
const NAME_BYTES = 100
/** Where a header keeps its fields: offset and length. */
const FIELD = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  magic: [257, 8],
} as const
const REGULAR_FILE = '0'

/** Writes a ustar archive that depends on names and contents alone: all times, owners and groups are zero. */
export function writeTar(files: readonly TarFile[]): Uint8Array {
  const blocks = files.flatMap(({ name, bytes }) => [header(name, bytes.length), bytes, Buffer.alloc(padding(bytes.length))])
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK_BYTES)])
}

/**
 * Reads an archive of regular files with plain names. Whatever else an archive may hold - links, directories, paths, extensions - is refused.
 *
 * @throws PeerError ERR_CHAINCODE_PACKAGE
 */
export function readTar(archive: Uint8Array, maxFiles: number): TarFile[] {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.length)
  const files: TarFile[] = []
  let at = 0
  while (at + BLOCK_BYTES <= bytes.length && bytes[at] !== 0) {
    const block = bytes.subarray(at, at + BLOCK_BYTES)
    const { name, size } = readHeader(block)
    at += BLOCK_BYTES
    if (at + size > bytes.length) throw invalid(`${name} is cut off`)
    if (files.length === maxFiles) throw invalid(`more than ${maxFiles} files`)
    if (files.some((file) => file.name === name)) throw invalid(`${name} occurs twice`)
    files.push({ name, bytes: bytes.subarray(at, at + size) })
    at += size + padding(size)
  }
  if (bytes.subarray(at).some((byte) => byte !== 0)) throw invalid('bytes after the last file')
  return files
}

function header(name: string, size: number): Buffer {
  if (!/^[\w.-]{1,99}$/.test(name)) throw invalid(`the name ${JSON.stringify(name)} is not a plain file name`)
  const block = Buffer.alloc(BLOCK_BYTES)
  const put = ([offset]: readonly [number, number], text: string) => block.write(text, offset, 'latin1')
  put(FIELD.name, name)
  put(FIELD.mode, '0000644\0')
  put(FIELD.uid, '0000000\0')
  put(FIELD.gid, '0000000\0')
  put(FIELD.size, `${size.toString(8).padStart(11, '0')}\0`)
  put(FIELD.mtime, '00000000000\0')
  put(FIELD.type, REGULAR_FILE)
  put(FIELD.magic, 'ustar\u000000')
  put(FIELD.checksum, `${checksum(block).toString(8).padStart(6, '0')}\0 `)
  return block
}

function readHeader(block: Buffer): { name: string; size: number } {
  const field = ([offset, length]: readonly [number, number]) => {
    const text = block.toString('latin1', offset, offset + length)
    const end = text.indexOf('\0')
    return end === -1 ? text : text.slice(0, end)
  }
  if (!field(FIELD.magic).startsWith('ustar') || octal(field(FIELD.checksum)) !== checksum(block)) throw invalid('a header that is not ustar, or damaged')
  const name = field(FIELD.name)
  if (!/^[\w.-]+$/.test(name) || name.length >= NAME_BYTES) throw invalid(`the name ${JSON.stringify(name)} is not a plain file name`)
  if (field(FIELD.type) !== REGULAR_FILE) throw invalid(`${name} is not a regular file`)
  return { name, size: octal(field(FIELD.size)) }
}

/** Sum of all bytes, the checksum's own taken as blanks. */
function checksum(block: Buffer): number {
  const [start, length] = FIELD.checksum
  return block.reduce((sum, byte, index) => sum + (index >= start && index < start + length ? 0x20 : byte), 0)
}

function octal(text: string): number {
  const digits = text.trim()
  if (!/^[0-7]{1,11}$/.test(digits)) throw invalid('a number that is not octal')
  return Number.parseInt(digits, 8)
}

function padding(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES
}

function invalid(found: string): PeerError {
  return new PeerError('ERR_CHAINCODE_PACKAGE', `the code package is not a tar of plain files: ${found}`)
}
