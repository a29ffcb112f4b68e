import { readFile } from 'node:fs/promises'
import { type Clock, type Logger, messageOf } from '../../kernel/index.js'

const PERIOD_MS = 250
const PAGE_BYTES = 4096
/** A sandbox is three or four processes deep; more than this is a fork bomb, whose size does not matter. */
const MAX_PROCESSES = 64

/**
 * Watches the resident memory of a process and all below it, and reports once when it is above the limit.
 * Returns what ends the watch.
 */
export function watchMemory(pid: number, maxBytes: number, clock: Clock, log: Logger, onExceeded: (bytes: number) => void): () => void {
  let ended = false
  let cancel = () => {}
  const check = async () => {
    try {
      const bytes = await residentBytes(pid)
      if (ended) return
      if (bytes > maxBytes) return onExceeded(bytes)
    } catch (error) {
      // Without proc, or when the process has just ended, the limits of the process itself remain.
      log.debug(`cannot read the memory of process ${pid}: ${messageOf(error)}`)
    }
    if (!ended) schedule()
  }
  const schedule = () => {
    cancel = clock.setTimer(PERIOD_MS, () => void check())
  }
  schedule()
  return () => {
    ended = true
    cancel()
  }
}

async function residentBytes(root: number): Promise<number> {
  let pages = 0
  const pids = [root]
  for (let i = 0; i < pids.length && i < MAX_PROCESSES; i += 1) {
    const pid = pids[i]
    const [statm, children] = await Promise.all([readFile(`/proc/${pid}/statm`, 'utf8'), readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')])
    pages += Number(statm.split(' ')[1] ?? 0)
    pids.push(
      ...children
        .split(' ')
        .filter((text) => text !== '')
        .map(Number),
    )
  }
  return pages * PAGE_BYTES
}
