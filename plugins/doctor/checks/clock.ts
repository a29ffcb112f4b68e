import { execFile } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf, peerKeys } from '../../../kernel/index.js'
import { DoctorCheck, type Patient, checkUsage } from '../check.js'
import type { Finding } from '../finding.js'

/** No version of this program is older. */
const EARLIEST_MS = Date.UTC(2026, 0, 1)
const AHEAD_MS = 60_000
const LOOK_MS = 250
const JUMP_MS = 100

/** `peer doctor clock`: timestamps of transactions, the validity of certificates and the order of logs depend on it. */
export class ClockCheck extends DoctorCheck {
  static override paths = [['doctor', 'clock']]
  static override usage = checkUsage('clock', "this machine's clock, and whether it is synchronised")

  async examine({ settings }: Patient): Promise<readonly Finding[]> {
    const directory = resolve(settings(peerKeys)['peer.fileSystemPath'])
    return [clockFinding(Date.now(), newestFileMs(directory)), await jumpFinding(), await synchronisedFinding()]
  }
}

/** `newestMs`: when a file of this peer was last written, by the clock of then. */
export function clockFinding(nowMs: number, newestMs: number | undefined): Finding {
  const now = new Date(nowMs).toISOString()
  const todo = 'set the clock (timedatectl set-time), and have it synchronised: timedatectl set-ntp true'
  if (nowMs < EARLIEST_MS) return { level: 'failure', found: `the clock says ${now}, which is before this program was written`, todo }
  if (newestMs !== undefined && newestMs > nowMs + AHEAD_MS) {
    return { level: 'failure', found: `the clock says ${now}, but this peer has written files at ${new Date(newestMs).toISOString()}: it was set back`, todo }
  }
  return { level: 'ok', found: `the clock says ${now}` }
}

async function jumpFinding(): Promise<Finding> {
  const [wall, steady] = [Date.now(), performance.now()]
  await sleep(LOOK_MS)
  const jumpMs = Math.round(Date.now() - wall - (performance.now() - steady))
  if (Math.abs(jumpMs) <= JUMP_MS) return { level: 'ok', found: 'the clock runs evenly' }
  return {
    level: 'warning',
    found: `the clock was moved by ${jumpMs} ms while it was watched`,
    todo: 'let one service set it, and slowly (chrony, systemd-timesyncd)',
  }
}

async function synchronisedFinding(): Promise<Finding> {
  const answer = await timedatectl()
  if (answer === 'yes') return { level: 'ok', found: 'the clock is synchronised' }
  if (answer === 'no') return { level: 'warning', found: 'the clock is not synchronised with any other', todo: 'timedatectl set-ntp true, or run chrony' }
  return { level: 'ok', found: `whether the clock is synchronised cannot be told here: ${answer}` }
}

function timedatectl(): Promise<string> {
  return new Promise((done) => {
    execFile('timedatectl', ['show', '--property=NTPSynchronized', '--value'], { timeout: 3000 }, (error, stdout) => {
      done(
        error === null
          ? stdout.trim()
          : (messageOf(error)
              .split('\n')
              .find((line) => line.trim() !== '' && !line.startsWith('Command failed')) ??
              messageOf(error).split('\n')[0] ??
              ''),
      )
    })
  })
}

function newestFileMs(directory: string): number | undefined {
  const times = [directory, join(directory, 'db')].flatMap((at) => {
    try {
      return readdirSync(at).map((name) => statSync(join(at, name)).mtimeMs)
    } catch {
      return [] // not there, not readable, or a file went away meanwhile: the check of the directory says more
    }
  })
  return times.length === 0 ? undefined : Math.max(...times)
}
