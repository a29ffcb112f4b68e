import { PeerError, messageOf } from '../../kernel/index.js'

/** Code of a LevelDB error, such as `LEVEL_CORRUPTION`; '' for anything else. */
export function levelCode(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return ''
  return String(thrown.code)
}

/** What failed in LevelDB itself: abstract-level wraps the errors of opening and closing. */
export function levelCause(thrown: unknown): unknown {
  const wrapped = levelCode(thrown) === 'LEVEL_DATABASE_NOT_OPEN' || levelCode(thrown) === 'LEVEL_DATABASE_NOT_CLOSED'
  return wrapped && thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown
}

/** A damaged store: ERR_STORE_CORRUPT. */
export function corrupt(doing: string, cause: unknown): PeerError {
  return new PeerError('ERR_STORE_CORRUPT', `the store is damaged, found while ${doing}: ${messageOf(cause)}`, {
    cause,
    hint: 'check the disk, then put back a backup of the directory, or move it away and let the peer fetch the ledger from the others',
  })
}

/** What a failed read becomes: ERR_STORE_CORRUPT, ERR_STORE_CLOSED or ERR_STORE_READ. */
export function readError(thrown: unknown): PeerError {
  if (thrown instanceof PeerError) return thrown
  const cause = levelCause(thrown)
  const code = levelCode(cause)
  if (code === 'LEVEL_CORRUPTION') return corrupt('reading', cause)
  if (code === 'LEVEL_DATABASE_NOT_OPEN' || code === 'LEVEL_ITERATOR_NOT_OPEN') return closed('read', cause)
  if (code === 'LEVEL_SNAPSHOT_NOT_OPEN') {
    return new PeerError('ERR_STORE_SNAPSHOT', 'expected an open snapshot, found one that has been released', {
      cause,
      hint: 'release a snapshot after its last read',
    })
  }
  return new PeerError('ERR_STORE_READ', `the store could not read: ${messageOf(cause)}`, { cause, hint: 'check the disk and the log of the system' })
}

/** A store that is asked for something after `close`: ERR_STORE_CLOSED. */
export function closed(what: string, cause?: unknown): PeerError {
  return new PeerError('ERR_STORE_CLOSED', `expected an open store for a ${what}, found it closed`, {
    cause,
    hint: 'stop what uses the store before closing it',
  })
}

/** What a failed write becomes, and what every later commit is answered with: ERR_STORE_WRITE. */
export function writeError(thrown: unknown): PeerError {
  const cause = levelCause(thrown)
  return new PeerError('ERR_STORE_WRITE', `the store could not write and takes nothing more: ${messageOf(cause)}`, {
    cause,
    hint: 'make room on the disk or repair it, then start the peer again; it goes on from its last complete block',
  })
}

/** What a failed closing becomes: ERR_STORE_CLOSE. What was committed is safe as it was committed. */
export function closeError(thrown: unknown): PeerError {
  const cause = levelCause(thrown)
  return new PeerError('ERR_STORE_CLOSE', `the store could not be closed: ${messageOf(cause)}`, { cause, hint: 'end the process; what was committed stays' })
}

/** What a failed opening becomes: ERR_STORE_LOCKED, ERR_STORE_CORRUPT or ERR_STORE_OPEN. */
export function openError(directory: string, thrown: unknown): PeerError {
  const cause = levelCause(thrown)
  const details = { directory }
  const code = levelCode(cause)
  if (code === 'LEVEL_LOCKED') {
    return new PeerError('ERR_STORE_LOCKED', `the store in ${directory} is in use by another process, or already open in this one`, {
      cause,
      details,
      hint: `stop that peer (\`fuser ${directory}/LOCK\` names it), or set peer.fileSystemPath to a directory of this peer's own`,
    })
  }
  if (code === 'LEVEL_CORRUPTION') return corrupt(`opening ${directory}`, cause)
  return new PeerError('ERR_STORE_OPEN', `the store in ${directory} cannot be opened: ${messageOf(cause)}`, {
    cause,
    details,
    hint: 'check that the directory is readable and writable for this user, that the disk has room, and that nothing in it was changed by hand',
  })
}
