import { readdirSync, readFileSync } from 'node:fs'

/** A process and its command line, words separated by zero bytes. */
export interface Descendant {
  readonly pid: number
  readonly command: string
}

/** Everything below a process. Throws ENOENT if that has ended; what ends while this looks is left out. */
export function processesBelow(pid: number): Descendant[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    (ifThere(() => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')) ?? '').split(' ').filter((word) => word !== ''),
  )
  return children.flatMap((word) => {
    const child = Number(word)
    const command = ifThere(() => readFileSync(`/proc/${child}/cmdline`, 'utf8'))
    return command === undefined ? [] : [{ pid: child, command }, ...(ifThere(() => processesBelow(child)) ?? [])]
  })
}

/** Those that run the code of an engine. */
export function enginesBelow(pid: number): Descendant[] {
  return processesBelow(pid).filter(({ command }) => command.includes('--experimental-vm-modules'))
}

function ifThere<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    // ESRCH: it ended after its file was opened.
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return undefined
    throw error
  }
}
