import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'esbuild'

/** The program of {@link child-program.ts} as one file, inside the project so that it finds its packages. */
export interface ChildProgram {
  readonly file: string
  remove(): void
}

export async function buildChildProgram(): Promise<ChildProgram> {
  const cache = resolve('.cache')
  mkdirSync(cache, { recursive: true })
  const directory = mkdtempSync(join(cache, 'test-level-'))
  const file = join(directory, 'child.mjs')
  await build({
    entryPoints: [resolve('test/level/child-program.ts')],
    outfile: file,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  })
  return { file, remove: () => rmSync(directory, { recursive: true }) }
}

export interface Child {
  readonly process: ChildProcess
  /** Waits for a line of its output; gives all lines so far. */
  line(wanted: (line: string) => boolean): Promise<readonly string[]>
  /** Ends it with SIGKILL; gives all lines that it had printed. */
  kill(): Promise<readonly string[]>
}

/** Starts a child whose output can be waited for. */
export function startChild(command: string, args: readonly string[]): Child {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  const reader = createInterface({ input: child.stdout })
  reader.on('line', (line) => lines.push(line))
  const closed = once(reader, 'close')
  return {
    process: child,
    async line(wanted) {
      while (!lines.some(wanted)) {
        const ended = await Promise.race([once(reader, 'line').then(() => false), closed.then(() => true)])
        if (ended && !lines.some(wanted)) throw new Error(`the child ended before the line, after ${lines.length} others`)
      }
      return [...lines]
    },
    async kill() {
      child.kill('SIGKILL')
      await closed
      return [...lines]
    },
  }
}
