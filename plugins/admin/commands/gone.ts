import { readFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 50
const GONE_WITHIN_MS = 10_000

/** Whether, within 10 s, nobody listens at an address any more and, if it is known, the process has ended: then another peer can start. */
export async function hasGone(address: string, pid: number | undefined): Promise<boolean> {
  const isThere = async (): Promise<boolean> => (pid !== undefined && isRunning(pid)) || (await listens(address))
  const deadline = performance.now() + GONE_WITHIN_MS
  while (await isThere()) {
    if (performance.now() > deadline) return false
    await sleep(POLL_MS)
  }
  return true
}

/** The process id in a pid file; undefined if there is none to be read. */
export function pidIn(file: string): number | undefined {
  const pid = Number.parseInt(readIfThere(file) ?? '', 10)
  return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return codeOf(error) === 'EPERM' // somebody else's, but there
  }
  // One that has ended and that its parent has not collected yet can still be signalled.
  const stat = readIfThere(`/proc/${pid}/stat`)
  return stat?.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z'
}

function listens(address: string): Promise<boolean> {
  const colon = address.lastIndexOf(':')
  return new Promise((resolve) => {
    const socket = createConnection({ host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)), timeout: 1000 })
    const end = (answers: boolean) => (): void => {
      resolve(answers)
      socket.destroy()
    }
    socket.once('connect', end(true))
    socket.once('timeout', end(false))
    socket.on('error', end(false))
  })
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    // Not there, not ours, or just ended: whoever asks can do without.
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ESRCH'].includes(codeOf(error))) return undefined
    throw error
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
