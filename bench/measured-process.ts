import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK']).toString())

/** A child process whose CPU time and memory are read from /proc. */
export interface MeasuredProcess {
  readonly child: ChildProcess
  /** User and system time since its start, in microseconds (resolution: one clock tick). */
  cpuMicros(): number
  /** Highest resident size so far, in MiB. */
  peakMiB(): number
  stop(): Promise<void>
}

/** Starts a Node process; its stderr is kept and shown if it dies early. */
export function startNode(args: readonly string[], cwd: string): MeasuredProcess {
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.resume()
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-20_000)
  })
  let stopping = false
  child.on('exit', (code) => {
    if (!stopping) console.error(`${args.join(' ')} ended early with ${code}:\n${errors}`)
  })
  return {
    child,
    cpuMicros() {
      const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1e6
    },
    peakMiB() {
      const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))
      return Number(line?.[1] ?? 0) / 1024
    },
    async stop() {
      stopping = true
      if (child.exitCode !== null) return
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** A loopback port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port was assigned')
  return address.port
}
