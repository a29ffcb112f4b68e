import { mkdir } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { PeerError, messageOf } from '../../../../kernel/index.js'

/** What a code package may unpack to. */
const MAX_BYTES = 512 * 1024 * 1024
const MAX_ENTRIES = 60_000

/**
 * Unpacks a code package that anybody may have made: regular files and folders below `folder`, nothing else, within bounds.
 *
 * @throws PeerError ERR_CHAINCODE_PACKAGE
 */
export async function unpackSources(codePackage: Uint8Array, folder: string): Promise<void> {
  const { Unpack } = await import('tar')
  await mkdir(folder, { recursive: true })
  let bytes = 0
  let entries = 0
  let refused: string | undefined
  const unpack = new Unpack({
    cwd: folder,
    strict: true,
    noMtime: true,
    filter: (path, entry) => {
      entries += 1
      bytes += entry.size ?? 0
      const type = 'type' in entry ? entry.type : 'File'
      if (entries > MAX_ENTRIES || bytes > MAX_BYTES) refused = `it unpacks to more than ${MAX_ENTRIES} entries or ${MAX_BYTES} bytes`
      else if (type !== 'File' && type !== 'OldFile' && type !== 'Directory') refused = `${path} is neither a file nor a folder`
      else if (path.startsWith('/') || path.split('/').includes('..')) refused = `${path} is not below the package`
      return refused === undefined
    },
  })
  try {
    await pipeline(Readable.from([Buffer.from(codePackage.buffer, codePackage.byteOffset, codePackage.length)]), unpack)
  } catch (cause) {
    throw new PeerError('ERR_CHAINCODE_PACKAGE', `the code package cannot be unpacked: ${messageOf(cause)}`, { cause })
  }
  if (refused !== undefined) throw new PeerError('ERR_CHAINCODE_PACKAGE', `the code package does not fit: ${refused}`)
}
