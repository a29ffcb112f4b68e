import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { PeerError } from '../../kernel/index.js'
import { NODE_FLAGS } from '../loader/index.js'
import { readReport, type SeedReport } from './outcome.js'

/** Seeds from `first` on. */
export interface SeedRange {
  readonly first: number
  readonly count: number
}

/** Parts of a range, as equal as can be. */
export function divide({ first, count }: SeedRange, parts: number): SeedRange[] {
  const ranges: SeedRange[] = []
  let from = first
  for (let left = Math.min(parts, count); left > 0; left -= 1) {
    const size = Math.ceil((first + count - from) / left)
    ranges.push({ first: from, count: size })
    from += size
  }
  return ranges
}

/** A simulated world ends all at once: an object that V8 takes for one that lives long, and so does not look at, keeps all alive that it knows of, and is a tenth of the time. */
const SIMULATION_FLAGS = ['--expose-gc', '--no-allocation-site-pretenuring']

/**
 * Runs this program once more for some seeds; it tells of each on a line. Rejects with ERR_SIM_JOB if it ends before all of them. `program`: Node's arguments up to the
 * command, `env` and `cwd` those of the command. `interrupted` ends it; that is no error.
 */
export function runJob(
  program: readonly string[],
  context: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
  range: SeedRange,
  onSeed: (report: SeedReport) => void,
  interrupted: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const args = [...program, '--seed', String(range.first), '--seeds', String(range.count), '--lines']
    // Simulations make much garbage that is gone at once: room for it saves a sixth of the time, and a tenth if it is collected between two of them.
    const child = spawn(process.execPath, [...SIMULATION_FLAGS, ...NODE_FLAGS, ...args], {
      cwd: context.cwd,
      env: context.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const end = (): void => void child.kill('SIGKILL')
    if (interrupted.aborted) end()
    interrupted.addEventListener('abort', end)
    let told = 0
    let complaint = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = `${complaint}${text}`.slice(-2000)))
    const lines = createInterface({ input: child.stdout })
    lines.on('line', (line) => {
      const report = readReport(line)
      if (!report) return
      told += 1
      onSeed(report)
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      interrupted.removeEventListener('abort', end)
      if (told === range.count || interrupted.aborted) resolve()
      else
        reject(
          new PeerError(
            'ERR_SIM_JOB',
            `a job for seeds ${range.first} to ${range.first + range.count - 1} ended (${code ?? signal}) after ${told} of them: ${complaint}`,
          ),
        )
    })
  })
}
