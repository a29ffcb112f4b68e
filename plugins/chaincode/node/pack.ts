import { createHash } from 'node:crypto'
import { decode, ChaincodeInput } from '../../../proto/index.js'
import { PeerError } from '../../../kernel/index.js'
import type { CodePackage } from '../runtime.js'
import { packArchive } from './archive.js'
import { bundleChaincode } from './bundle.js'

/**
 * Bundles and names a chaincode: the scheme for GOLANG, over one file, the bundle (spec/chaincode.md §12.3).
 *
 * @param input serialised constructor message
 * @throws PeerError with v0.6's texts for an empty path or no arguments
 */
export async function packChaincode(path: string, input: Uint8Array, maxBytes: number): Promise<CodePackage> {
  if (path === '') throw new PeerError('ERR_CHAINCODE_PACKAGE', 'Cannot generate hashcode from empty chaincode path')
  if (decode(ChaincodeInput, input).args.length === 0) throw new PeerError('ERR_CHAINCODE_PACKAGE', 'Cannot generate hashcode from empty ctor')
  const bundle = await bundleChaincode(path, maxBytes)
  return { name: hash(bundle, hash(input)).toString('hex'), bytes: packArchive(bundle) }
}

/** SHAKE256 with 64 bytes of output. */
function hash(...parts: readonly Uint8Array[]): Buffer {
  const shake = createHash('shake256', { outputLength: 64 })
  for (const part of parts) shake.update(part)
  return shake.digest()
}
