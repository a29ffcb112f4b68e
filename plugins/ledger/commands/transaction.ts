import { Command, Option } from 'clipanion'
import { ChaincodeEvent, decode, hex, LedgerToolsService, Timestamp } from '../../../proto/index.js'
import { getTransaction } from '../inspect/lookup.js'
import { isoTime } from '../inspect/shown.js'
import { transactionLines, transactionView } from '../inspect/transaction-view.js'
import { LedgerReadCommand } from './read-command.js'

/** `peer tx`: one committed transaction, decoded. */
export class TransactionCommand extends LedgerReadCommand {
  static override paths = [['tx']]
  static override usage = Command.Usage({
    category: 'ledger specific commands.',
    description: 'Show a committed transaction.',
    details: `
      Where it is, what it calls, and its events. Reads the store of the site; if a peer runs on it, asks the peer at \`peer.address\`.
      Exit code 1 if no block has it: a transaction that failed is in no block.
    `,
    examples: [
      ['By its id', 'peer tx 6df0edd3-e7a9-4b8a-a09c-26afa4c2c9d3'],
      ['The deploy of a chaincode, for programs', 'peer tx mycc --json'],
      ['The bytes as stored, a protos.Transaction', 'peer tx mycc --raw > transaction.pb'],
    ],
  })

  txid = Option.String({ name: 'txid', required: true })
  raw = Option.Boolean('--raw', false, { description: 'write the stored bytes to stdout and nothing else' })

  protected async run(): Promise<void> {
    const { block, index, blockHash, transaction, committed, events } = await this.lookUp(LedgerToolsService.getTransaction, getTransaction, {
      txid: this.txid,
    })
    if (this.raw) {
      this.context.stdout.write(transaction)
      return
    }
    const view = transactionView(
      transaction,
      events.map((event) => decode(ChaincodeEvent, event)),
    )
    const time = committed.length === 0 ? {} : { committed: isoTime(decode(Timestamp, committed)) }
    const where = [`block       ${block}, transaction ${index}`, `block hash  ${hex(blockHash)}`, `committed   ${time.committed ?? 'unknown'}`]
    this.report({ block, index, blockHash: hex(blockHash), ...time, ...view }, `${[...where, '', ...transactionLines(transaction, view)].join('\n')}\n`)
  }
}
