import { PeerError } from '../../../kernel/index.js'

/** An archive that is no archive, is damaged, or contradicts itself. `where` says at which byte or block. */
export function badArchive(what: string): PeerError {
  return new PeerError('ERR_ARCHIVE', `the archive cannot be used: ${what}`, {
    hint: 'nothing was imported; get the archive again, or export it anew from a sound ledger',
  })
}

/** An archive that this version does not know how to read. */
export function unknownArchive(what: string): PeerError {
  return new PeerError('ERR_ARCHIVE_VERSION', what, { hint: 'import it with the version of Weft that wrote it, or a later one' })
}

export const byteText = (value: number): string => `0x${value.toString(16).padStart(2, '0')}`
