import { Command, Option } from 'clipanion'
import { PeerError } from '../../../kernel/index.js'
import { DevopsService } from '../../../proto/index.js'
import { ChaincodeCommand } from './chaincode-command.js'

/** `peer chaincode query`. */
export class QueryCommand extends ChaincodeCommand {
  static override paths = [['chaincode', 'query']]
  static override usage = Command.Usage({
    category: 'chaincode specific commands.',
    description: 'Query using the specified chaincode.',
    details: 'Runs at once on the peer that is asked, against its committed state.',
    examples: [
      ['The balance of a', `peer chaincode query -n example02 -c '{"Function":"query","Args":["a"]}'`],
      ['The result as hexadecimal', `peer chaincode query -x -n example02 -c '{"Args":["query","a"]}'`],
    ],
  })

  raw = Option.Boolean('-r,--raw', false, { description: 'output the value as raw bytes, without a line end' })
  hex = Option.Boolean('-x,--hex', false, { description: 'output the value in hexadecimal; not with --raw' })

  protected async run(): Promise<void> {
    const request = { chaincodeSpec: this.specification(), idGenerationAlg: this.tid }
    const { response } = await this.ask('querying', DevopsService.query, request)
    // v0.6 asks first and complains afterwards (spec/node.md §1).
    if (this.raw && this.hex) throw new PeerError('ERR_USAGE', 'Options --raw (-r) and --hex (-x) are not compatible\n')
    const result = Buffer.from(response.msg)
    if (this.json) this.report({ result: result.toString(), hex: result.toString('hex') }, '')
    else if (this.raw) this.context.stdout.write(Buffer.concat([Buffer.from('Query Result (Raw): '), result]))
    else this.report(undefined, `Query Result: ${this.hex ? result.toString('hex') : result.toString()}\n`)
  }
}
