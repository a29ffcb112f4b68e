import { Command, Option } from 'clipanion'
import { DevopsService } from '../../../proto/index.js'
import { peerKeys } from '../../../kernel/index.js'
import { createLogging, loggingKeys } from '../../logging/index.js'
import { ChaincodeCommand, requireCommitted } from './chaincode-command.js'
import { invocationText } from './invocation-text.js'

/** `peer chaincode invoke`: as in v0.6 it prints nothing unless asked. */
export class InvokeCommand extends ChaincodeCommand {
  static override paths = [['chaincode', 'invoke']]
  static override usage = Command.Usage({
    category: 'chaincode specific commands.',
    description: 'Invoke the specified chaincode.',
    details:
      'Returns when the transaction is accepted for ordering and prints nothing, as v0.6 (`--logging-level info` logs its id); `--wait` waits for its block, `--json` prints its id.',
    examples: [
      ['Move 10 from a to b', `peer chaincode invoke -n example02 -c '{"Function":"invoke","Args":["a","b","10"]}'`],
      ['Wait for the block', `peer chaincode invoke -n example02 -c '{"Args":["invoke","a","b","10"]}' --wait`],
    ],
  })

  wait = Option.Boolean('--wait', false, { description: 'return when the transaction is committed or rejected, with its block' })

  protected async run(): Promise<void> {
    const request = { chaincodeSpec: this.specification(), idGenerationAlg: this.tid }
    const { response, outcome } = await this.ask('invoking', DevopsService.invoke, request, this.wait)
    const txid = Buffer.from(response.msg).toString()
    await this.log(`Successfully invoked transaction: ${invocationText(request)}(${txid})`)
    const committed = outcome === undefined ? undefined : requireCommitted(txid, outcome)
    this.report({ txid, ...committed?.json }, committed?.line ?? '')
  }

  /** The line from which scripts of v0.6 take the txid; seen at the level info only (spec/node.md §1). */
  private async log(message: string): Promise<void> {
    if (this.json) return
    const levels = await this.settings({ 'logging.level': peerKeys['logging.level'], 'logging.chaincode': loggingKeys['logging.chaincode'] })
    const logging = createLogging({ spec: levels['logging.level'] || levels['logging.chaincode'], stream: this.context.stderr })
    logging.logger('chaincodeCmd').in('chaincodeInvokeOrQuery').info(message)
  }
}
