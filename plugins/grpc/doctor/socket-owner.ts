import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { printable } from '../../terminal/index.js'

/** Of a socket that listens, in /proc/net/tcp. */
const LISTENS = '0A'
const MOST_CHARACTERS = 300

/** The TCP ports on which a process listens; none where the system does not tell. */
export function portsOf(pid: number): ReadonlySet<number> {
  const sockets = socketsOf(pid)
  return new Set(listeners(`/proc/${pid}/net`).flatMap(({ port, socket }) => (sockets.has(socket) ? [port] : [])))
}

/** A process of this machine. */
export interface PortOwner {
  readonly pid: number
  /** Its command line; empty where the system does not tell. */
  readonly words: readonly string[]
}

/** The process that listens on a TCP port; undefined where the system does not tell, such as of another user's. */
export function ownerOf(port: number): PortOwner | undefined {
  const wanted = new Set(listeners('/proc/self/net').flatMap((listener) => (listener.port === port ? [listener.socket] : [])))
  if (wanted.size === 0) return undefined
  const pids = unlessForbidden(() => readdirSync('/proc'), []).filter((name) => /^\d+$/.test(name))
  const pid = pids.map(Number).find((candidate) => [...socketsOf(candidate)].some((socket) => wanted.has(socket)))
  if (pid === undefined) return undefined
  const words = unlessForbidden(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'), '').split('\0')
  return { pid, words: words.filter((word) => word !== '') }
}

/** What a person knows a process by, as one line of bounded length. */
export function ownerText({ pid, words }: PortOwner): string {
  return `process ${pid}${words.length === 0 ? '' : ` (${printable(words.join(' '), MOST_CHARACTERS)})`}`
}

function socketsOf(pid: number): ReadonlySet<string> {
  const links = unlessForbidden(() => readdirSync(`/proc/${pid}/fd`), []).map((fd) => unlessForbidden(() => readlinkSync(`/proc/${pid}/fd/${fd}`), ''))
  return new Set(links.filter((link) => link.startsWith('socket:')))
}

function listeners(folder: string): { readonly port: number; readonly socket: string }[] {
  return ['tcp', 'tcp6'].flatMap((table) =>
    unlessForbidden(() => readFileSync(`${folder}/${table}`, 'utf8'), '')
      .split('\n')
      .flatMap((line) => {
        const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/)
        return state === LISTENS ? [{ port: Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16), socket: `socket:[${inode}]` }] : []
      }),
  )
}

/** Another user's process, one that has just ended, or a system without /proc: nothing can be told. */
function unlessForbidden<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (['ENOENT', 'EACCES', 'EPERM', 'ESRCH', 'ENOTDIR'].includes(code)) return otherwise
    throw error
  }
}
