import { Command, Option } from 'clipanion'
import { PeerError } from '../../../kernel/index.js'
import { hex, LedgerToolsService, type StateList } from '../../../proto/index.js'
import { escaped } from '../../terminal/index.js'
import { MAX_PAGE_KEYS, listState } from '../inspect/lookup.js'
import { jsonBytes, shown } from '../inspect/shown.js'
import { bytesOf } from './bytes-argument.js'
import { LedgerReadCommand } from './read-command.js'

const AFTER: Uint8Array = Buffer.from([0])

/** `peer state list`: keys and values of a chaincode. */
export class StateListCommand extends LedgerReadCommand {
  static override paths = [['state', 'list']]
  static override usage = Command.Usage({
    category: 'ledger specific commands.',
    description: 'List keys and values of a chaincode in the world state.',
    details: `
      In the order of the keys' bytes; both bounds are inclusive. Reads the store of the site; if a peer runs on it, asks the peer at \`peer.address\`, in pages
      of ${MAX_PAGE_KEYS} keys: each page is of one moment, and a warning says if blocks were committed between two of them.
    `,
    examples: [
      ['The first hundred keys', 'peer state list mycc'],
      ['A range, for programs', 'peer state list mycc --from a --to m --limit 1000 --json'],
    ],
  })

  chaincode = Option.String({ name: 'chaincode', required: true })
  from = Option.String('--from', '', { description: 'first key' })
  to = Option.String('--to', '', { description: 'last key' })
  limit = Option.String('--limit', '100', { description: 'at most so many keys (default 100)' })
  keyHex = Option.Boolean('--key-hex', false, { description: '--from and --to are given in hex' })
  hex = Option.Boolean('--hex', false, { description: 'print keys and values in hex' })

  protected async run(): Promise<void> {
    const { entries, more, heights } = await this.list(limitOf(this.limit))
    const [first, ...others] = [...heights]
    if (others.length > 0) this.warn('blocks were committed while the keys were read: the list is not of one moment')
    const bytes = (value: Uint8Array) => (this.hex ? { hex: hex(value) } : jsonBytes(value))
    const word = (value: Uint8Array) => (this.hex ? hex(value) : shown(value))
    const lines = entries.map(({ key, value }) => `${word(key)}\t${word(value)}\n`)
    const value = {
      chaincode: this.chaincode,
      block: (first ?? 0n) - 1n,
      entries: entries.map(({ key, value }) => ({ key: bytes(key), value: bytes(value) })),
      more,
    }
    this.report(value, lines.join(''))
    if (more && !this.json) this.warn(`there are more keys: --limit, or --from ${this.nextFrom(entries)}`)
    if (entries.length === 0 && !this.json) this.warn(`chaincode ${escaped(this.chaincode)} has no keys in this range`)
  }

  private async list(limit: number): Promise<{ entries: StateList['entries']; more: boolean; heights: Set<bigint> }> {
    const entries: StateList['entries'] = []
    const heights = new Set<bigint>()
    const to = bytesOf(this.to, this.keyHex)
    let from = bytesOf(this.from, this.keyHex)
    for (;;) {
      const query = { chaincode: Buffer.from(this.chaincode), from, to, limit: Math.min(limit - entries.length, MAX_PAGE_KEYS) }
      const page = await this.lookUp(LedgerToolsService.listState, listState, query)
      entries.push(...page.entries)
      heights.add(page.stateHeight)
      const last = page.entries.at(-1)
      if (!page.more || !last || entries.length >= limit) return { entries, more: page.more, heights }
      // The next key in the order of bytes.
      from = Buffer.concat([last.key, AFTER])
    }
  }

  private nextFrom(entries: StateList['entries']): string {
    const last = entries.at(-1)
    return last ? `${hex(Buffer.concat([last.key, AFTER]))} --key-hex` : ''
  }
}

/** Throws ERR_LIMIT. */
function limitOf(text: string): number {
  if (/^[1-9][0-9]{0,4}$/.test(text)) return Number(text)
  throw new PeerError('ERR_LIMIT', `expected --limit between 1 and 99999, found ${JSON.stringify(text.slice(0, 200))}`)
}
