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
/** Of what the other process says on stderr, the newest. */
const MOST_WORDS = 32_768
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
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = `${complaint}${text}`.slice(-MOST_WORDS)))
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = readEvent(line)
      if (!event) return
      if (event.type === 'subject') subject = event.subject
      else if (event.type === 'begin') current = event
      else if (event.type === 'finding') findings.push(event.finding)
      else {
        isOver = true
        // Timers that the engine left would keep it alive.
        end()
      }
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
        const { part, name } = current
        findings.push({
          part,
          name,
          verdict: 'failed',
          kind: 'stuck',
          detail: `${whyEnded(complaint) ?? `the engine ${how}`}; what follows was not checked${lastWords(complaint)}`,
        })
      }
      resolve({ subject, findings })
    })
  })
}

/** What the kit or V8 said of an end that the engine brought about; undefined: nothing. */
function whyEnded(complaint: string): string | undefined {
  const endless = /^the engine does not return: .*(?=, and this process ends$)/m.exec(complaint)?.[0]
  if (endless !== undefined) return endless
  return /^FATAL ERROR: .*out of memory/m.test(complaint) ? `the engine took more than the ${MEMORY_MB} MiB that the checks have` : undefined
}

/** The error that ended a process, with its first lines of a stack, or the end of what it said; nothing where that is known better. */
function lastWords(complaint: string): string {
  const lines = complaint.trim().split('\n')
  const at = lines.findIndex((line) => /^(?:FATAL ERROR|(?:Uncaught )?\w*Error\b)/.test(line))
  const words = at < 0 ? lines.slice(-6) : lines.slice(at, at + 6)
  return complaint.trim() === '' || whyEnded(complaint) !== undefined ? '' : `; its last words:\n${words.join('\n')}`
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
