import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { PeerError } from '../../kernel/index.js'
import { NODE_FLAGS } from '../loader/index.js'
import type { Card, CheckEvent, Finding, Subject } from './card.js'

/** A run of the checks in a process of its own: an engine that never ends, exits, or takes all memory ends that one. */
export interface CheckerOptions {
  /** Node's arguments: this program and the command that tells of the checks line by line. */
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** The longest that one check may take. */
  readonly limitMs: number
  readonly onEvent: (event: CheckEvent) => void
  /** Aborted: the checks are ended where they are, and ERR_INTERRUPTED is thrown. */
  readonly signal?: AbortSignal
}

const MEMORY_MB = 2048
/** What loading the program and the engine may take on a slow machine. */
const LOADING_MS = 60_000

/** Checks in another process. Rejects with ERR_ENGINE_CHECK, and what that process said, if it ends before it knows the engine. */
export function checkElsewhere({ args, cwd, env, limitMs, onEvent, signal }: CheckerOptions): Promise<Card> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--expose-gc', ...NODE_FLAGS, `--max-old-space-size=${MEMORY_MB}`, ...args], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const findings: Finding[] = []
    let subject: Subject | undefined
    let current: { readonly part: Finding['part']; readonly name: string } | undefined
    let isOver = false
    let isLate = false
    let complaint = ''
    let timer = setTimeout(() => undefined, 0)
    const watch = (): void => {
      clearTimeout(timer)
      timer = setTimeout(
        () => {
          isLate = true
          child.kill('SIGKILL')
        },
        subject ? limitMs : Math.max(limitMs, LOADING_MS),
      )
    }
    watch()
    const end = (): boolean => child.kill('SIGKILL')
    signal?.addEventListener('abort', end, { once: true })
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = `${complaint}${text}`.slice(-4000)))
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = readEvent(line)
      if (!event) return
      if (event.type === 'subject') subject = event.subject
      else if (event.type === 'begin') current = event
      else if (event.type === 'finding') findings.push(event.finding)
      else isOver = true
      watch()
      onEvent(event)
    })
    child.on('error', reject)
    child.on('close', (code, killedBy) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      if (signal?.aborted) return reject(new PeerError('ERR_INTERRUPTED', 'interrupted: the checks are not finished'))
      const how = isLate
        ? `did not end within ${(subject ? limitMs : Math.max(limitMs, LOADING_MS)) / 1000} s`
        : `ended its process (${killedBy ?? `exit code ${code}`})`
      if (!subject)
        return reject(
          new PeerError('ERR_ENGINE_CHECK', complaint.trim() === '' ? `the engine ${how} while it was loaded` : complaint.trim().replace(/^Error: /, '')),
        )
      if (!isOver && current) {
        const words = complaint.trim() === '' ? '' : `; its last words:\n${complaint.trim().split('\n').slice(-6).join('\n')}`
        findings.push({
          part: current.part,
          name: current.name,
          verdict: 'failed',
          kind: 'stuck',
          detail: `the engine ${how}; what follows was not checked${words}`,
        })
      }
      resolve({ subject, findings })
    })
  })
}

/** Reads a line; undefined for what the engine itself printed. */
function readEvent(line: string): CheckEvent | undefined {
  if (!line.startsWith('{"type":')) return undefined
  try {
    return JSON.parse(line)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
