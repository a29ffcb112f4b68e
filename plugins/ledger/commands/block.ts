import { Command, Option } from 'clipanion'
import { PeerError } from '../../../kernel/index.js'
import { type BlockQuery, LedgerToolsService } from '../../../proto/index.js'
import { HASH_LENGTH } from '../hash.js'
import { blockLines, blockView } from '../inspect/block-view.js'
import { getBlock } from '../inspect/lookup.js'
import { LedgerReadCommand } from './read-command.js'

const MAX_NUMBER = 2n ** 64n

/** `peer block`: one block, decoded. */
export class BlockCommand extends LedgerReadCommand {
  static override paths = [['block']]
  static override usage = Command.Usage({
    category: 'ledger specific commands.',
    description: 'Show a block.',
    details: `
      The block is named by its number, by its hash in hex, or \`latest\`. Reads the store of the site; if a peer runs on it, asks the peer at \`peer.address\`.
      Exit code 1 if there is no such block.
    `,
    examples: [
      ['The newest block', 'peer block latest'],
      ['For programs', 'peer block 7 --json'],
      ['The bytes of the block as stored, a protos.Block', 'peer block 7 --raw > block.pb'],
    ],
  })

  which = Option.String({ name: 'number|hash|latest', required: true })
  raw = Option.Boolean('--raw', false, { description: 'write the stored bytes to stdout and nothing else' })

  protected async run(): Promise<void> {
    const found = await this.lookUp(LedgerToolsService.getBlock, getBlock, blockQuery(this.which))
    if (this.raw) {
      this.context.stdout.write(found.block)
      return
    }
    const view = blockView(found)
    this.report(view, `${blockLines(found.block, view).join('\n')}\n`)
  }
}

/** Throws ERR_BLOCK_NAME. */
export function blockQuery(which: string): BlockQuery {
  const query = { hash: new Uint8Array(0), latest: false, number: 0n }
  if (which === 'latest') return { ...query, latest: true }
  if (/^[0-9]{1,20}$/.test(which) && BigInt(which) < MAX_NUMBER) return { ...query, number: BigInt(which) }
  if (/^[0-9a-f]+$/i.test(which) && which.length === HASH_LENGTH * 2) return { ...query, hash: Buffer.from(which, 'hex') }
  throw new PeerError(
    'ERR_BLOCK_NAME',
    `expected a block's number, its hash (${HASH_LENGTH * 2} hex digits) or latest, found ${JSON.stringify(which.slice(0, 200))}`,
  )
}
