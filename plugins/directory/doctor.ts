import { randomUUID } from 'node:crypto'
import { constants, accessSync, existsSync, statSync } from 'node:fs'
import { open, rm, statfs } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { messageOf, peerKeys } from '../../kernel/index.js'
import { DoctorCheck, type Finding, type Patient, checkUsage } from '../doctor/index.js'
import { directoryHolder } from './lock.js'

const FAILS_BELOW = 256 * 1024 ** 2
const WARNS_BELOW = 2 * 1024 ** 3
const SYNCS = 15
const SLOW_SYNC_MS = 25

/** `peer doctor data`: the data directory, its disk, and who uses it. */
export class DataCheck extends DoctorCheck {
  static override paths = [['doctor', 'data']]
  static override usage = checkUsage('data', 'the data directory: who uses it, permissions, room and speed of its disk')

  async examine({ settings }: Patient): Promise<readonly Finding[]> {
    const directory = resolve(settings(peerKeys)['peer.fileSystemPath'])
    const place = nearestThere(directory)
    const access = accessFinding(directory, place)
    const findings = [access, ...(existsSync(directory) ? [modeFinding(directory), userFinding(directory)] : []), spaceFinding(directory, await statfs(place))]
    // Where nothing can be written nothing can be measured either.
    return access.level === 'failure' ? findings : [...findings, await syncFinding(place)]
  }
}

function accessFinding(directory: string, place: string): Finding {
  const todo = `let this user write there, or set peer.fileSystemPath to another directory`
  try {
    if (!statSync(place).isDirectory()) return { level: 'failure', found: `${place} is no directory`, todo }
    accessSync(place, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    return { level: 'failure', found: `${place} cannot be used: ${messageOf(error)}`, todo }
  }
  return { level: 'ok', found: place === directory ? `${directory} can be written` : `${directory} is not there yet, and can be made` }
}

function modeFinding(directory: string): Finding {
  const { mode, uid } = statSync(directory)
  const mine = process.getuid?.() ?? uid
  if ((mode & 0o002) !== 0) return { level: 'warning', found: `${directory} can be written by everybody`, todo: `chmod o-w ${directory}` }
  if (mine !== uid) {
    return {
      level: 'warning',
      found: `${directory} belongs to user ${uid}, this is user ${mine}`,
      todo: 'run the peer, and this command, as the user to whom the directory belongs',
    }
  }
  return { level: 'ok', found: `${directory} belongs to this user, mode ${(mode & 0o777).toString(8)}` }
}

function userFinding(directory: string): Finding {
  const holder = directoryHolder(directory)
  if (holder !== undefined) return { level: 'ok', found: `in use by the peer with process id ${holder}`, details: { pid: holder } }
  const isLeft = existsSync(join(directory, 'peer.lock'))
  return { level: 'ok', found: isLeft ? 'used by nobody; the last peer was killed, the next one recovers' : 'used by nobody' }
}

/** `found`: what `statfs` says of the place. */
export function spaceFinding(
  directory: string,
  { bavail, bsize, blocks }: { readonly bavail: number; readonly bsize: number; readonly blocks: number },
): Finding {
  const free = bavail * bsize
  const found = `${Math.round(free / 1024 ** 2)} MiB free for ${directory} (${Math.round((100 * bavail) / Math.max(1, blocks))} %)`
  const details = { freeBytes: free }
  const todo = 'make room: a peer whose disk is full stops at its last complete block'
  if (free < FAILS_BELOW) return { level: 'failure', found, todo, details }
  return free < WARNS_BELOW ? { level: 'warning', found, todo, details } : { level: 'ok', found, details }
}

/** Every block waits for one synced write. */
async function syncFinding(place: string): Promise<Finding> {
  const file = join(place, `.weft-doctor-${randomUUID()}`)
  const times: number[] = []
  try {
    const handle = await open(file, 'wx', 0o600)
    try {
      for (let count = 0; count < SYNCS; count++) {
        const start = performance.now()
        await handle.write(Buffer.alloc(4096, count))
        await handle.datasync()
        times.push(performance.now() - start)
      }
    } finally {
      await handle.close()
    }
  } catch (error) {
    return { level: 'failure', found: `a synced write in ${place} failed: ${messageOf(error)}`, todo: 'check the disk and its quota' }
  } finally {
    await rm(file, { force: true })
  }
  const medianMs = times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0
  const found = `a synced write of 4 KiB takes ${medianMs.toFixed(1)} ms; every block waits for one`
  const details = { syncMs: medianMs }
  if (medianMs <= SLOW_SYNC_MS) return { level: 'ok', found, details }
  return { level: 'warning', found, details, todo: 'use a faster disk (SSD), or one that nothing else keeps busy' }
}

/** A directory, or the nearest one above it that is there. */
function nearestThere(directory: string): string {
  return existsSync(directory) || dirname(directory) === directory ? directory : nearestThere(dirname(directory))
}
