import { randomUUID } from 'node:crypto'
import { chmodSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PeerError } from './errors.js'

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
 * Throws ERR_PEER_DIRECTORY_LOCKED with the process id of the holder.
 */
export function lockDirectory(directory: string): DirectoryLock {
  mkdirSync(directory, { recursive: true, mode: 0o755 })
  const path = join(directory, 'peer.lock')
  const mine = `${process.pid} ${startOf(process.pid) ?? 'unknown'} ${randomUUID()}`
  for (let attempt = 0; ; attempt++) {
    if (tryLink(path, mine)) break
    const found = readIfThere(path)
    if (found === undefined) continue
    const holder = liveHolder(found)
    if (holder !== undefined || attempt >= ATTEMPTS) throw locked(directory, holder ?? found)
    removeStale(path, found)
  }
  const pidFile = join(directory, 'peer.pid')
  return {
    writePid() {
      writeFileSync(pidFile, String(process.pid))
      chmodSync(pidFile, 0o644)
    },
    release() {
      if (readIfThere(path) !== mine) return
      if (readIfThere(pidFile) === String(process.pid)) rmSync(pidFile, { force: true })
      rmSync(path, { force: true })
    },
  }
}

function locked(directory: string, holder: string): PeerError {
  return new PeerError('ERR_PEER_DIRECTORY_LOCKED', `the directory ${directory} is used by the peer with process id ${holder}; stop it or set peer.fileSystemPath`, {
    details: { directory, holder },
  })
}

/** Creates the lock with its content in one step; false if there is one. */
function tryLink(path: string, content: string): boolean {
  const draft = `${path}.${randomUUID()}`
  writeFileSync(draft, content, { mode: 0o644 })
  try {
    linkSync(draft, path)
    return true
  } catch (cause) {
    if (isCode(cause, 'EEXIST')) return false
    throw cause
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Removes a stale lock; if another process replaced it in the meantime, its fresh one is put back. */
function removeStale(path: string, stale: string): void {
  const aside = `${path}.${randomUUID()}`
  try {
    renameSync(path, aside)
  } catch (cause) {
    if (isCode(cause, 'ENOENT')) return // somebody else removed it
    throw cause
  }
  try {
    if (readFileSync(aside, 'utf8') !== stale) linkSync(aside, path)
  } finally {
    rmSync(aside, { force: true })
  }
}

/** The process id in a lock if that very process still lives. */
function liveHolder(content: string): string | undefined {
  const [pid = '', start = ''] = content.split(' ')
  if (!/^\d+$/.test(pid)) return undefined
  const now = startOf(Number(pid))
  if (now === undefined && start !== 'unknown') return undefined
  if (now !== undefined) return now === start ? pid : undefined
  return isAlive(Number(pid)) ? pid : undefined
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

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return isCode(cause, 'EPERM')
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (isCode(cause, 'ENOENT') || isCode(cause, 'ESRCH')) return undefined
    throw cause
  }
}

function isCode(thrown: unknown, code: string): boolean {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && thrown.code === code
}
