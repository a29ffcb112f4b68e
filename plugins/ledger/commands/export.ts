import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { Client } from '@grpc/grpc-js'
import { Command, Option } from 'clipanion'
import { PeerError, peerKeys } from '../../../kernel/index.js'
import { type ExportReply, LedgerToolsService, openStream } from '../../../proto/index.js'
import { GrpcCommand } from '../../grpc/index.js'
import { gzipped, writeFileWhole, writeStream } from '../archive/file.js'
import type { ExportProgress } from '../archive/write.js'
import { ledgerKeys } from '../keys.js'
import { isLocked, withOfflineLedger } from './offline.js'
import { ProgressLine } from './progress.js'

/** `peer ledger export`: chain and state in one portable file. */
export class LedgerExportCommand extends GrpcCommand {
  static override paths = [['ledger', 'export']]
  static override usage = Command.Usage({
    category: 'ledger specific commands.',
    description: 'Write chain and state to a portable archive.',
    details: `
      The whole chain and the state of its newest block, of one moment. Reads the store of the site; if a peer runs on it, the peer at \`peer.address\` sends the
      archive beside its own work. Nothing of an engine or of waiting transactions is in it. Links between blocks are checked on the way; \`peer ledger import\` checks everything.
    `,
    examples: [
      ['To a file', 'peer ledger export ledger.weft'],
      ['Compressed', 'peer ledger export ledger.weft.gz --gzip'],
      ['To another program', 'peer ledger export - | ssh backup "cat > ledger.weft"'],
    ],
  })

  file = Option.String({ name: 'file', required: true })
  gzip = Option.Boolean('--gzip', false, { description: 'compress with gzip' })
  force = Option.Boolean('--force', false, { description: 'replace the file if there is one' })
  offline = Option.Boolean('--offline', false, { description: 'fail if a peer runs on the store' })

  readonly #sha256 = createHash('sha256')
  #progress: ExportProgress = { blocks: 0n, height: 0n, keys: 0n }
  #bytes = 0

  protected async run(): Promise<void> {
    const settings = await this.settings({ ...ledgerKeys, ...peerKeys })
    const line = new ProgressLine(this.context.stderr)
    const show = (progress: ExportProgress) => {
      this.#progress = progress
      line.show(`block ${progress.blocks} of ${progress.height}, ${progress.keys} keys`)
    }
    // Signals are heard from here on: the file's draft comes before its first bytes.
    this.refuseInterrupted()
    try {
      await withOfflineLedger(settings, (ledger) => this.write(ledger.exportArchive(show)), { inspect: true })
    } catch (thrown) {
      if (this.offline || !isLocked(thrown)) throw thrown
      await this.write(archiveOf(await this.dial(Client), show, this.interrupted))
    } finally {
      line.clear()
    }
    this.tell()
  }

  private async write(archive: AsyncIterable<Uint8Array>): Promise<void> {
    const counted = this.count(archive)
    const bytes = this.gzip ? gzipped(counted) : counted
    if (this.file === '-') await writeStream(bytes, this.context.stdout)
    else await writeFileWhole(resolve(this.context.cwd, this.file), bytes, { replace: this.force })
  }

  private async *count(archive: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const bytes of archive) {
      this.refuseInterrupted()
      this.#sha256.update(bytes)
      this.#bytes += bytes.length
      yield bytes
    }
    this.refuseInterrupted()
  }

  /** What is there is half an archive. */
  private refuseInterrupted(): void {
    if (this.interrupted.aborted) throw new PeerError('ERR_INTERRUPTED', `interrupted: ${this.file === '-' ? 'the archive ends here' : 'no file was written'}`)
  }

  private tell(): void {
    const { height, keys } = this.#progress
    const value = { file: this.file, blocks: height, keys, bytes: this.#bytes, sha256: this.#sha256.digest('hex') }
    const text = `${height} blocks and ${keys} keys exported, ${this.#bytes} bytes${this.gzip ? ' before compression' : ''}, SHA-256 ${value.sha256}`
    if (this.file === '-') this.warn(text)
    else this.report(value, `${text}\n`)
  }
}

/** The archive as a running peer sends it. */
async function* archiveOf(client: Client, show: (progress: ExportProgress) => void, interrupted: AbortSignal): AsyncGenerator<Uint8Array> {
  const call = openStream(client, LedgerToolsService.export)
  const stop = (): void => call.cancel()
  interrupted.addEventListener('abort', stop, { once: true })
  call.write({})
  call.end()
  try {
    const replies: AsyncIterable<ExportReply> = call
    for await (const { bytes, ...progress } of replies) {
      show(progress)
      yield bytes
    }
  } catch (error) {
    // That it was cancelled is what the interruption did.
    if (!interrupted.aborted) throw error
  } finally {
    interrupted.removeEventListener('abort', stop)
    call.cancel()
  }
}
