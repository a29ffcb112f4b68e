import { promisify } from 'node:util'
import { gunzip, gzipSync } from 'node:zlib'
import { messageOf, PeerError } from '../../../kernel/index.js'
import { readTar, type TarFile, writeTar } from './tar.js'

/** Version of the contract between a bundle and the process that runs it. */
export const API_VERSION = 1

const BUNDLE = 'chaincode.mjs'
const MANIFEST = 'package.json'
const MAX_MANIFEST_BYTES = 4096
/** Headers, padding and the end of an archive of two files, generously. */
const ARCHIVE_OVERHEAD_BYTES = 64 * 1024
/** Byte of a gzip header that names the operating system; 255 = unknown. */
const GZIP_OS_OFFSET = 9

/** Makes a code package of a bundle: a gzip-compressed tar whose bytes depend on the bundle alone. */
export function packArchive(bundle: Uint8Array): Uint8Array {
  const manifest = `${JSON.stringify({ name: 'chaincode', private: true, type: 'module', weft: { api: API_VERSION } })}\n`
  const packed = gzipSync(
    writeTar([
      { name: BUNDLE, bytes: bundle },
      { name: MANIFEST, bytes: Buffer.from(manifest) },
    ]),
    { level: 9 },
  )
  packed.fill(0, 4, 8)
  packed[GZIP_OS_OFFSET] = 255
  return packed
}

/**
 * Takes the bundle out of a code package that anybody may have made.
 *
 * @param maxBytes longest bundle; nothing longer is unpacked
 * @throws PeerError ERR_CHAINCODE_PACKAGE if it is not such a package
 */
export async function unpackArchive(codePackage: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  let archive: Uint8Array
  try {
    archive = await promisify(gunzip)(codePackage, { maxOutputLength: maxBytes + ARCHIVE_OVERHEAD_BYTES })
  } catch (cause) {
    throw new PeerError(
      'ERR_CHAINCODE_PACKAGE',
      `the code package of ${codePackage.length} bytes cannot be unpacked to at most ${maxBytes} bytes: ${messageOf(cause)}`,
      { cause },
    )
  }
  const files = readTar(archive, 2)
  const bundle = fileOf(files, BUNDLE, maxBytes)
  assertManifest(fileOf(files, MANIFEST, MAX_MANIFEST_BYTES))
  return bundle
}

function fileOf(files: readonly TarFile[], name: string, maxBytes: number): Uint8Array {
  const file = files.find((candidate) => candidate.name === name)
  if (file === undefined) throw invalid(`it has no ${name}, but ${files.map((found) => found.name).join(', ') || 'nothing'}`)
  if (file.bytes.length > maxBytes) throw invalid(`${name} has ${file.bytes.length} bytes, more than ${maxBytes}`)
  return file.bytes
}

function assertManifest(bytes: Uint8Array): void {
  const api = apiVersion(Buffer.from(bytes).toString('utf8'))
  if (api !== API_VERSION)
    throw invalid(`its ${MANIFEST} asks for version ${JSON.stringify(api) ?? 'undefined'} of the chaincode API, this peer runs version ${API_VERSION}`)
}

function apiVersion(manifest: string): unknown {
  try {
    const value: unknown = JSON.parse(manifest)
    const weft: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'weft') : undefined
    return typeof weft === 'object' && weft !== null ? Reflect.get(weft, 'api') : undefined
  } catch (cause) {
    throw new PeerError('ERR_CHAINCODE_PACKAGE', `the code package's ${MANIFEST} is not JSON: ${messageOf(cause)}`, { cause })
  }
}

function invalid(found: string): PeerError {
  return new PeerError('ERR_CHAINCODE_PACKAGE', `the code package does not fit: ${found}`)
}
