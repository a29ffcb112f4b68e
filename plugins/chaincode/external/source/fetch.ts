import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PeerError, messageOf } from '../../../../kernel/index.js'

/** Works in an empty folder, which is gone afterwards. */
export async function inTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-chaincode-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A program that fetches source. */
export interface Fetch {
  readonly file: string
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly limitMs: number
}

/** Runs it. Throws v0.6's text if it takes too long (spec/chaincode.md §5.9), else the end of what it printed. */
export async function fetchSource({ file, args, environment, limitMs }: Fetch): Promise<void> {
  try {
    await promisify(execFile)(file, [...args], { env: { ...process.env, ...environment }, timeout: limitMs, killSignal: 'SIGKILL', maxBuffer: 1024 * 1024 })
  } catch (cause) {
    const isTooLong = typeof cause === 'object' && cause !== null && Reflect.get(cause, 'killed') === true
    throw new PeerError('ERR_CHAINCODE_PACKAGE', isTooLong ? 'Getting chaincode took too long' : `Error getting chaincode: ${messageOf(cause)}`, { cause })
  }
}
