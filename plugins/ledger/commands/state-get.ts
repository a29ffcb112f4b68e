import { Command, Option } from 'clipanion'
import { PeerError } from '../../../kernel/index.js'
import { hex, LedgerToolsService } from '../../../proto/index.js'
import { escaped } from '../../terminal/index.js'
import { getState } from '../inspect/lookup.js'
import { jsonBytes, utf8 } from '../inspect/shown.js'
import { bytesOf } from './bytes-argument.js'
import { LedgerReadCommand } from './read-command.js'

/** `peer state get`: the value of one key. */
export class StateGetCommand extends LedgerReadCommand {
  static override paths = [['state', 'get']]
  static override usage = Command.Usage({
    category: 'ledger specific commands.',
    description: 'Show the value of a key in the world state.',
    details: `
      Reads the store of the site; if a peer runs on it, asks the peer at \`peer.address\`. A value that is not text is shown in hex, after \`0x\`.
      Exit code 1 if the chaincode has no such key.
    `,
    examples: [
      ['A key of a chaincode', 'peer state get mycc a'],
      ['A key with bytes that are not text', 'peer state get mycc 0006617373657473 --key-hex'],
      ['The exact bytes of the value', 'peer state get mycc picture --raw > picture.png'],
    ],
  })

  chaincode = Option.String({ name: 'chaincode', required: true })
  key = Option.String({ name: 'key', required: true })
  keyHex = Option.Boolean('--key-hex', false, { description: 'the key is given in hex' })
  hex = Option.Boolean('--hex', false, { description: 'print the value in hex' })
  raw = Option.Boolean('--raw', false, { description: 'write the bytes of the value to stdout and nothing else' })

  protected async run(): Promise<void> {
    const key = bytesOf(this.key, this.keyHex)
    const { found, value, stateHeight } = await this.lookUp(LedgerToolsService.getState, getState, { chaincode: Buffer.from(this.chaincode), key })
    if (!found) throw new PeerError('ERR_LEDGER_NOT_FOUND', `chaincode ${escaped(this.chaincode)} has no key ${escaped(this.key)} at block ${stateHeight - 1n}`)
    if (this.raw) {
      this.context.stdout.write(value)
      return
    }
    const asText = this.hex ? undefined : utf8(value)
    const shownAs = this.hex ? hex(value) : asText === undefined ? `0x${hex(value)}` : escaped(asText, Number.POSITIVE_INFINITY)
    this.report(
      { chaincode: this.chaincode, key: jsonBytes(key), value: this.hex ? { hex: hex(value) } : jsonBytes(value), block: stateHeight - 1n },
      `${shownAs}\n`,
    )
  }
}
