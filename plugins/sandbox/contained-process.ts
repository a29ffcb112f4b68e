import { type ChildProcess, spawn } from 'node:child_process'
import { Socket } from 'node:net'
import { constants } from 'node:os'
import { type Clock, type Logger, PeerError } from '../../kernel/index.js'
import { watchMemory } from './memory-watch.js'
import { logOutput } from './output-log.js'
import type { Command } from './command.js'

/** What {@link spawnContained} needs. */
export interface ContainedProcessOptions {
  /** What runs in it, for the log: `the chaincode`. */
  readonly who: string
  readonly command: Command
  /** Written to the program's standard input, which then ends. */
  readonly input: Uint8Array
  /** Resident memory of all its processes; above it they are killed. */
  readonly memoryBytes: number
  readonly log: Logger
  readonly clock: Clock
}

/** A process of its own with a pipe on its file descriptor 3. */
export interface ContainedProcess {
  readonly pipe: Socket
  /** Resolves with the reason when the process is gone. */
  readonly ended: Promise<string>
  /** Kills the process and everything that it started. */
  kill(reason: string): void
}

/**
 * Starts a program as leader of its own process group.
 *
 * @throws PeerError ERR_SANDBOX_LAUNCH if it cannot be started
 */
export async function spawnContained({ who, command, input, memoryBytes, log, clock }: ContainedProcessOptions): Promise<ContainedProcess> {
  const child = spawn(command.file, command.args, { stdio: ['pipe', 'pipe', 'pipe', 'pipe'], env: {}, cwd: '/', detached: true })
  const pipe = child.stdio[3]
  const { pid } = child
  if (pid === undefined || !(pipe instanceof Socket)) {
    const cause = await new Promise<Error>((resolve) => child.once('error', resolve))
    throw new PeerError('ERR_SANDBOX_LAUNCH', `cannot start ${command.file}: ${cause.message}`, { cause })
  }

  let killedFor: string | undefined
  const kill = (reason: string) => {
    if (killedFor !== undefined) return
    killedFor = reason
    killGroup(child, pid)
  }
  const stopWatching = watchMemory(pid, memoryBytes, clock, log, (bytes) => kill(`it used ${bytes} bytes of memory, more than ${memoryBytes}`))
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      stopWatching()
      killGroup(child, pid)
      pipe.destroy()
      resolve(killedFor ?? endedWith(code, signal))
    })
  })
  child.on('error', (error) => log.warning(`the process of ${who}: ${error.message}`))
  pipe.on('error', (error) => log.debug(`the pipe of ${who}: ${error.message}`))
  child.stdin?.on('error', (error) => log.debug(`the process of ${who} did not read its program: ${error.message}`))
  child.stdin?.end(input)
  if (child.stdout !== null) logOutput(child.stdout, log, clock, 'info', who)
  if (child.stderr !== null) logOutput(child.stderr, log, clock, 'warning', who)
  return { pipe, ended, kill }
}

/** How Node.js ends when there is no memory: which one depends on what it was needed for. */
const OUT_OF_MEMORY = ['SIGABRT', 'SIGTRAP'] as const

function endedWith(code: number | null, signal: NodeJS.Signals | null): string {
  const how = `the process ended with ${signal ?? `exit code ${code}`}`
  // A sandbox says 128 and the signal's number.
  const isLikely = OUT_OF_MEMORY.some((name) => signal === name || code === 128 + constants.signals[name])
  return isLikely ? `${how}, as Node.js does when its memory is not enough` : how
}

/** Under a sandbox, the end of its first process ends all others with it. */
function killGroup(child: ChildProcess, pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // ESRCH: nothing is left of the group, which is what was wanted.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) child.kill('SIGKILL')
  }
}
