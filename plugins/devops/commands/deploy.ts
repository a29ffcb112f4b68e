import { resolve } from 'node:path'
import { Command, Option } from 'clipanion'
import { ChaincodeSpec_Type, DevopsService } from '../../../proto/index.js'
import { ChaincodeCommand, requireCommitted } from './chaincode-command.js'

/** `peer chaincode deploy`. */
export class DeployCommand extends ChaincodeCommand {
  static override paths = [['chaincode', 'deploy']]
  static override usage = Command.Usage({
    category: 'chaincode specific commands.',
    description: 'Deploy the specified chaincode to the network.',
    details: `
      Prints the chaincode's name when the deploy is accepted; it is executed when its block is committed (\`--wait\` waits for that).
      A TypeScript chaincode (\`-l node\`) is bundled by the peer from the file at \`-p\`. In development mode the chaincode is registered by name (\`-n\`).
    `,
    examples: [
      ['Deploy a TypeScript chaincode', `peer chaincode deploy -l node -p ./map.ts -c '{"Args":["init"]}' --wait`],
      ['Deploy a chaincode that runs in development mode', `peer chaincode deploy -n mycc -c '{"Function":"init","Args":["a","100","b","200"]}'`],
    ],
  })

  wait = Option.Boolean('--wait', false, { description: 'return when the deploy is committed or rejected, with its block' })

  protected async run(): Promise<void> {
    const spec = this.specification()
    // The peer reads the source itself, from its own working directory.
    if (spec.type === ChaincodeSpec_Type.NODE && spec.chaincodeID !== undefined && this.source !== '')
      spec.chaincodeID.path = resolve(this.context.cwd, this.source)
    const { response, outcome } = await this.ask('building', DevopsService.deploy, spec, this.wait)
    const name = response.chaincodeSpec?.chaincodeID?.name ?? ''
    const committed = outcome === undefined ? undefined : requireCommitted(name, outcome)
    this.report({ name, ...committed?.json }, `Deploy chaincode: ${name}\n${committed?.line ?? ''}`)
  }
}
