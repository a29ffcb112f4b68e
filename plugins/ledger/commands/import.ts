import { resolve } from 'node:path'
import { Command, Option } from 'clipanion'
import { PeerCommand, PeerError, peerKeys } from '../../../kernel/index.js'
import { hex } from '../../../proto/index.js'
import { readFile, readStream } from '../archive/file.js'
import { importLedger } from '../archive/import.js'
import { HASH_LENGTH } from '../hash.js'
import { ledgerKeys } from '../keys.js'
import { settingsOf } from '../settings.js'
import { bytesOf } from './bytes-argument.js'
import { ProgressLine } from './progress.js'

const MIB = 1024 * 1024
const MAX_RECORD_MIB = 4095

/** `peer ledger import`: a new store from an archive. */
export class LedgerImportCommand extends PeerCommand {
  static override paths = [['ledger', 'import']]
  static override usage = Command.Usage({
    category: 'ledger specific commands.',
    description: 'Build a store from an archive.',
    details: `
      Into an empty \`peer.fileSystemPath\`. Every block is hashed and has to name the hash of the one before; the state has to have the state hash of the newest
      block. Only then the store appears: a run that fails or is killed leaves none, and can be started again. An archive proves that it is one consistent chain,
      not that it is your network's: compare the hash of its newest block with a validator's (\`peer ledger info\`), or give it with \`--expect-head\`.
    `,
    examples: [
      ['From a file', 'peer ledger import ledger.weft'],
      ['Only if it is the chain that the network has', 'peer ledger import ledger.weft --expect-head 46b9dd2b...'],
      ['To see whether a backup is good', 'peer ledger import ledger.weft --set peer.fileSystemPath=/tmp/check'],
    ],
  })

  file = Option.String({ name: 'file', required: true })
  expectHead = Option.String('--expect-head', { description: 'hash that the newest block has to have, in hex' })
  acceptUncovered = Option.Boolean('--accept-uncovered', false, {
    description: 'of a trie or raw: take keys that the state hash of the newest block does not vouch for',
  })
  maxRecord = Option.String('--max-record', '256', { description: 'longest block or value that is read, in MiB (default 256)' })

  protected async run(): Promise<void> {
    const settings = await this.settings({ ...ledgerKeys, ...peerKeys })
    const line = new ProgressLine(this.context.stderr)
    const source = this.file === '-' ? readStream(chunksOf(this.context.stdin)) : readFile(resolve(this.context.cwd, this.file))
    const options = {
      settings: settingsOf(settings),
      expectedHead: this.expectHead === undefined ? undefined : hashOf(this.expectHead),
      acceptUncovered: this.acceptUncovered,
      maxRecordBytes: recordBytes(this.maxRecord),
      progress: ({ blocks, height, keys }: { blocks: bigint; height: bigint; keys: bigint }) => line.show(`block ${blocks} of ${height}, ${keys} keys`),
    }
    const report = await importLedger(resolve(settings['peer.fileSystemPath']), source, options).finally(() => line.clear())
    const value = { ...report, head: hex(report.head), stateHash: report.stateHash ? hex(report.stateHash) : '' }
    if (report.uncovered > 0n) this.warn(`the state hash does not vouch for ${report.uncovered} keys`)
    this.report(value, `${report.height} blocks and ${report.keys} keys imported; the newest block has the hash ${value.head}\n`)
  }
}

async function* chunksOf(stream: NodeJS.ReadableStream): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) yield Buffer.from(chunk)
}

function hashOf(text: string): Uint8Array {
  const hash = bytesOf(text, true)
  if (hash.length === HASH_LENGTH) return hash
  throw new PeerError('ERR_HEX', `expected a hash of ${HASH_LENGTH} bytes in hex, found ${hash.length} bytes`)
}

function recordBytes(text: string): number {
  if (/^[1-9][0-9]{0,3}$/.test(text) && Number(text) <= MAX_RECORD_MIB) return Number(text) * MIB
  throw new PeerError('ERR_LIMIT', `expected --max-record between 1 and ${MAX_RECORD_MIB} MiB, found ${JSON.stringify(text.slice(0, 200))}`)
}
