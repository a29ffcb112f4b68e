import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'

/** The root of this checkout. */
export const ROOT = resolve(import.meta.dirname, '../../..')
/** The built program; WEFT_DIST names another build. */
export const PROGRAM = join(resolve(ROOT, process.env['WEFT_DIST'] ?? 'dist'), 'kernel/cli/main.js')

/** How a process ended and what it printed. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface LaunchOptions {
  readonly cwd: string
  /** On top of this process's own environment, without its CORE_* variables. */
  readonly env?: Readonly<Record<string, string>>
  /** A command that is put in front, such as `prlimit --fsize=1000`. */
  readonly through?: readonly string[]
}

/** A started `peer` process. */
export class Program {
  stdout = ''
  stderr = ''
  readonly ended: Promise<Ended>
  readonly #child: ChildProcessByStdio<null, Readable, Readable>
  #isOver = false

  constructor(args: readonly string[], { cwd, env = {}, through = [] }: LaunchOptions) {
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: npm run build, or set WEFT_DIST`)
    const [file = process.execPath, ...rest] = [...through, process.execPath, PROGRAM, ...args]
    this.#child = spawn(file, rest, { cwd, env: { ...withoutCore(process.env), ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.ended = new Promise((resolveEnded, reject) => {
      this.#child.once('error', reject)
      this.#child.once('close', (code, signal) => {
        this.#isOver = true
        resolveEnded({ code, signal, stdout: this.stdout, stderr: this.stderr })
      })
    })
  }

  get pid(): number {
    const { pid } = this.#child
    if (pid === undefined) throw new Error('the process was not started')
    return pid
  }

  get isRunning(): boolean {
    return !this.#isOver
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** Waits until `seen` holds; fails with all output if the process ends or the time is over before. */
  async until(what: string, seen: () => boolean | Promise<boolean>, timeoutMs = 120_000): Promise<void> {
    const deadline = performance.now() + timeoutMs
    while (!(await seen())) {
      if (this.#isOver) throw new Error(`the process ended before: ${what}\n${this.stdout}${this.stderr}`)
      if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}\n${this.stdout}${this.stderr}`)
      await pause(20)
    }
  }
}

/** Runs a command of the program to its end. */
export function runProgram(args: readonly string[], options: LaunchOptions): Promise<Ended> {
  return new Program(args, options).ended
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolvePause) => setTimeout(resolvePause, milliseconds))
}

function withoutCore(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('CORE_')))
}
