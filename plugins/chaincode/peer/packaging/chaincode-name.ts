import { createHash } from 'node:crypto'
import { ChaincodeInput, decode } from '../../../../proto/index.js'
import { refusal } from '../errors.js'
import { type SourceFile, inVisitingOrder } from './source-files.js'

/**
 * Name of a Go chaincode: 128 hex digits (spec/chaincode.md §12.3). The path is only checked, not hashed.
 *
 * @param input serialised ChaincodeInput of the deploy
 * @throws PeerError with v0.6's texts for an empty path or no arguments
 */
export function golangName(path: string, input: Uint8Array, files: readonly SourceFile[]): string {
  if (path === '') throw refusal('Cannot generate hashcode from empty chaincode path')
  return chain(
    input,
    inVisitingOrder(files).map(({ bytes }) => bytes),
  )
}

/** Name of a Java chaincode: by a mistake of v0.6 that has to be kept, only the lengths of its files count. Throws as {@link golangName}. */
export function javaName(path: string, input: Uint8Array, files: readonly SourceFile[]): string {
  if (path === '') throw refusal('Cannot generate hashcode from empty chaincode path')
  return chain(
    input,
    inVisitingOrder(files).map(({ bytes }) => new Uint8Array(bytes.length)),
  )
}

/** Name of a car chaincode, which is one archive: only its length counts, as for Java. Throws as {@link golangName}. */
export function carName(path: string, input: Uint8Array, archive: Uint8Array): string {
  if (path === '') throw refusal('Cannot generate hashcode from empty chaincode path')
  return chain(input, [new Uint8Array(archive.length)])
}

/** h = H(content || h), beginning with H(input); H is SHAKE256 with 64 bytes. */
function chain(input: Uint8Array, contents: readonly Uint8Array[]): string {
  if (decode(ChaincodeInput, input).args.length === 0) throw refusal('Cannot generate hashcode from empty ctor')
  let hash = createHash('shake256', { outputLength: 64 }).update(input).digest()
  for (const content of contents) hash = createHash('shake256', { outputLength: 64 }).update(content).update(hash).digest()
  return hash.toString('hex')
}
