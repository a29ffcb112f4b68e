import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Option } from 'clipanion'
import { PeerCommand, PeerError, messageOf } from '../../../kernel/index.js'
import { profilingKeys } from '../keys.js'

const ANSWER_MS = 30_000

/** Base of `peer profile …`: asks the profiling listener of a running peer. */
export abstract class ProfileCommand extends PeerCommand {
  address = Option.String('--address', { description: 'host:port of the profiling listener (default: peer.profile.listenAddress)' })

  /** Fetches a page of `/debug/pprof/`. Throws ERR_PROFILE_UNREACHABLE or ERR_PROFILE. */
  protected async fetch(page: string, seconds = 0): Promise<Buffer> {
    const where = (this.address ?? (await this.settings(profilingKeys))['peer.profile.listenAddress']).replace(/^(0\.0\.0\.0)?:/, '127.0.0.1:')
    let response: Response
    let body: Buffer
    try {
      response = await fetch(`http://${where}/debug/pprof/${page}`, { signal: AbortSignal.timeout(seconds * 1000 + ANSWER_MS) })
      body = Buffer.from(await response.arrayBuffer())
    } catch (cause) {
      const why = cause instanceof Error && cause.cause !== undefined ? messageOf(cause.cause) : messageOf(cause)
      throw new PeerError('ERR_PROFILE_UNREACHABLE', `no profiling listener answers on ${where}: ${why}`, {
        cause,
        hint: 'start the peer with peer.profile.enabled: true, or name its address with --address',
      })
    }
    if (response.ok) return body
    throw new PeerError('ERR_PROFILE', `${where} answered ${response.status}: ${body.toString().trim().slice(0, 500)}`)
  }

  /** Writes a profile to a file and says so. */
  protected async save(bytes: Buffer, file: string): Promise<void> {
    const path = resolve(this.context.cwd, file)
    try {
      await writeFile(path, bytes)
    } catch (cause) {
      throw new PeerError('ERR_PROFILE_FILE', `cannot write ${path}: ${messageOf(cause)}`, { cause })
    }
    this.report({ file: path, bytes: bytes.length }, `Wrote ${path} (${bytes.length} bytes). Open it with go tool pprof, or in speedscope.\n`)
  }

  protected secondsOf(written: string): number {
    const seconds = /^\d{1,4}(\.\d{1,3})?$/.test(written) ? Number(written) : 0
    if (seconds > 0 && seconds <= 600) return seconds
    throw new PeerError('ERR_USAGE', `--seconds takes a number above 0 and at most 600, found ${written}`)
  }
}
