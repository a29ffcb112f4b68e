import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PeerError } from '../../kernel/index.js'
import { directoryHolder } from '../directory/index.js'
import { NODE_FLAGS, ownPackage } from '../loader/index.js'
import type { PeerPlan } from './plan.js'

const LOOK_EVERY_MS = 20
const SAID_LINES = 12

/** The process id of a peer, if it runs. */
export function pidOf({ data }: Pick<PeerPlan, 'data'>): number | undefined {
  return directoryHolder(data)
}

/** The process that a crash left in `peer.pid`; undefined if there is nothing of the kind. */
export function leftover(peer: PeerPlan): number | undefined {
  const file = join(peer.data, 'peer.pid')
  return pidOf(peer) === undefined && existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined
}

/** Starts a peer that goes on when this process ends, its output in its log. Variables `CORE_*` of this shell do not reach it. */
export function launch(peer: PeerPlan): ChildProcess {
  const log = openSync(peer.log, 'a')
  try {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CORE_')))
    const child = spawn(process.execPath, [...NODE_FLAGS, program(), 'node', 'start', '--config', peer.config], {
      cwd: peer.directory,
      env,
      detached: true,
      stdio: ['ignore', log, log],
    })
    // A failure shows as an exit code too; unheard, the event would end this process.
    child.once('error', () => undefined)
    child.unref()
    return child
  } finally {
    closeSync(log)
  }
}

/** The program that runs, else the built one of this package. */
function program(): string {
  const [, running = ''] = process.argv
  const file = existsSync(running) ? realpathSync(running) : ''
  if (/kernel[\\/]cli[\\/]main\.js$/.test(file)) return file
  const built = join(ownPackage().root, 'dist/kernel/cli/main.js')
  if (existsSync(built)) return built
  throw new PeerError('ERR_DEVNET_PROGRAM', `the program to start peers with, ${built}, is not there`, { hint: 'npm run build' })
}

/** Ends a running peer in good order, by force after `limitMs`. False: force was needed. */
export async function end(pid: number, peer: PeerPlan, limitMs: number): Promise<boolean> {
  signal(pid, 'SIGTERM')
  if (await gone(pid, peer, limitMs)) return true
  await kill(pid, peer)
  return false
}

/** Ends a running peer as a power cut would. */
export async function kill(pid: number, peer: PeerPlan): Promise<void> {
  signal(pid, 'SIGKILL')
  if (await gone(pid, peer, 5000)) return
  throw new PeerError('ERR_DEVNET_ALIVE', `${peer.id}, process ${pid}, does not end after SIGKILL`)
}

/** Removes the ledger of a peer that does not run. */
export function wipe(peer: PeerPlan): void {
  rmSync(peer.data, { recursive: true, force: true })
}

/** The last lines of a peer's log. */
export function lastLines({ log }: PeerPlan, count = SAID_LINES): readonly string[] {
  return existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n').slice(-count) : []
}

async function gone(pid: number, peer: PeerPlan, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs
  while (pidOf(peer) === pid) {
    if (performance.now() > deadline) return false
    await sleep(LOOK_EVERY_MS)
  }
  return true
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error // it has just ended by itself
  }
}
