import { randomUUID } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { PeerError, messageOf } from '../../kernel/index.js'

/** A held directory. */
export interface DirectoryLock {
  /** Writes `peer.pid` (spec/node.md §3 step 16). */
  writePid(): void
  /** Removes `peer.pid` and the lock. */
  release(): void
}

const ATTEMPTS = 10

/**
 * Makes sure that a data directory exists (0755) and takes it for this process.
 *
 * Node has no flock. The lock file names the holder by process id *and* start time, so neither `kill -9` nor a reused process
 * id leaves a directory locked. It appears by `link`, complete or not at all. Containers that share a directory do not see each
 * other's processes: there the store's own lock has to hold.
 *
 * Throws ERR_PEER_DIRECTORY_LOCKED with the process id of the holder, or ERR_PEER_DIRECTORY if the directory cannot be used.
 */
export function lockDirectory(directory: string): DirectoryLock {
  const path = join(directory, 'peer.lock')
  const pidFile = join(directory, 'peer.pid')
  const mine = `${process.pid} ${startOf(process.pid) ?? 'unknown'} ${randomUUID()}`
  try {
    makeDirectory(resolve(directory))
    acquire(directory, path, mine)
  } catch (cause) {
    if (cause instanceof PeerError) throw cause
    throw new PeerError('ERR_PEER_DIRECTORY', `cannot use the directory ${directory}: ${messageOf(cause)}`, {
      cause,
      hint: 'set peer.fileSystemPath to a directory that this user may write',
    })
  }
  return {
    writePid: () => writeFileSync(pidFile, String(process.pid), { mode: 0o644 }),
    release() {
      if (readIfThere(path) !== mine) return
      if (readIfThere(pidFile) === String(process.pid)) rmSync(pidFile, { force: true })
      rmSync(path, { force: true })
    },
  }
}

/** The id of the process that holds a data directory, if it lives: a lock that a crash left, or a process id that was given out again, is no holder. */
export function holderOf(directory: string): number | undefined {
  const found = readIfThere(join(directory, 'peer.lock'))
  const holder = found === undefined ? undefined : liveHolder(found)
  return holder === undefined ? undefined : Number(holder)
}

/** With parents. Node's own `recursive` never returns where a directory cannot be made although its parent exists, as below /proc. */
function makeDirectory(directory: string): void {
  if (existsSync(directory)) return
  if (dirname(directory) !== directory) makeDirectory(dirname(directory))
  try {
    mkdirSync(directory, { mode: 0o755 })
  } catch (error) {
    // Another process may have been quicker.
    if (!existsSync(directory)) throw error
  }
}

function acquire(directory: string, path: string, mine: string): void {
  for (let attempt = 0; !createWhole(path, mine); attempt++) {
    const found = readIfThere(path)
    if (found === undefined) continue
    const holder = liveHolder(found)
    if (holder === undefined && attempt < ATTEMPTS) removeStale(path, found)
    else {
      throw new PeerError(
        'ERR_PEER_DIRECTORY_LOCKED',
        `the directory ${directory} is used by the peer with process id ${holder ?? '(unknown)'}; stop it or set peer.fileSystemPath`,
        {
          details: { directory, holder },
        },
      )
    }
  }
}

/** Creates a file with its content in one step; false if there is one. */
function createWhole(path: string, content: string): boolean {
  const draft = `${path}.${randomUUID()}`
  writeFileSync(draft, content)
  try {
    return unless(['EEXIST'], () => linkSync(draft, path))
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Removes a stale lock; if another process replaced it in the meantime, its fresh one is put back. */
function removeStale(path: string, stale: string): void {
  const aside = `${path}.${randomUUID()}`
  if (!unless(['ENOENT'], () => renameSync(path, aside))) return
  if (readFileSync(aside, 'utf8') !== stale) unless(['EEXIST'], () => linkSync(aside, path))
  rmSync(aside, { force: true })
}

/** The process id in a lock if that very process still lives. */
function liveHolder(content: string): string | undefined {
  const [pid = '', start = ''] = content.split(' ')
  if (!/^\d+$/.test(pid)) return undefined
  if (start !== 'unknown') return startOf(Number(pid)) === start ? pid : undefined
  return unless(['ESRCH'], () => process.kill(Number(pid), 0)) ? pid : undefined // no /proc on this system
}

/** When a process started: boot id and clock ticks since boot. Undefined if there is no such process, or no /proc. */
function startOf(pid: number): string | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // The second field, the name, may hold spaces and parentheses; the start time is the 22nd.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined // dead, only not yet collected by its parent
  return `${readIfThere('/proc/sys/kernel/random/boot_id')?.trim() ?? ''}/${fields[19]}`
}

function readIfThere(path: string): string | undefined {
  let text: string | undefined
  unless(['ENOENT', 'ESRCH'], () => (text = readFileSync(path, 'utf8'))) // ESRCH: the process of a /proc file has just ended
  return text
}

/** Does `act`; false if it failed with one of these codes, which the caller expects. Other failures are thrown. */
function unless(codes: readonly string[], act: () => unknown): boolean {
  try {
    act()
    return true
  } catch (cause) {
    if (typeof cause === 'object' && cause !== null && 'code' in cause && codes.some((code) => code === cause.code)) return false
    throw cause
  }
}
