import { readFileSync, readdirSync, readlinkSync } from 'node:fs'

/** Of a socket that listens, in /proc/net/tcp. */
const LISTENS = '0A'

/** The TCP ports on which a process listens; none where the system does not tell. */
export function portsOf(pid: number): ReadonlySet<number> {
  const inodes = new Set(
    unlessForbidden(() => readdirSync(`/proc/${pid}/fd`).map((fd) => unlessForbidden(() => readlinkSync(`/proc/${pid}/fd/${fd}`), '')), []),
  )
  const ports = new Set<number>()
  for (const table of ['tcp', 'tcp6']) {
    for (const line of unlessForbidden(() => readFileSync(`/proc/${pid}/net/${table}`, 'utf8'), '').split('\n')) {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/)
      if (state === LISTENS && inodes.has(`socket:[${inode}]`)) ports.add(Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16))
    }
  }
  return ports
}

/** Another user's process, one that has just ended, or a system without /proc: nothing can be told. */
function unlessForbidden<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (['ENOENT', 'EACCES', 'EPERM', 'ESRCH'].includes(code)) return otherwise
    throw error
  }
}
