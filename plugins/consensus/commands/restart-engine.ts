import { Command } from 'clipanion'
import { callUnary, ConsensusToolsService } from '../../../proto/index.js'
import { SuccessionCommand } from './succession-command.js'

const ANSWER_MS = 60_000

/** `peer consensus restart-engine`: the engine of this validator, again from its records. */
export class RestartEngineCommand extends SuccessionCommand {
  static override paths = [['consensus', 'restart-engine']]
  static override usage = Command.Usage({
    category: 'consensus specific commands.',
    description: 'Ends the engine of this validator and begins it again from its records.',
    details: 'For an engine that was halted. The other validators are not touched; the peer stays up all the while. To be run on the machine of the validator.',
    examples: [['Of the local peer', 'peer consensus restart-engine']],
  })

  protected async run(): Promise<void> {
    const client = await this.tools()
    const { engine, version, epoch } = await callUnary(client, ConsensusToolsService.restartEngine, {}, { deadline: Date.now() + ANSWER_MS })
    this.report({ engine, version, epoch }, `${engine} ${version} of epoch ${epoch} was begun again\n`)
  }
}
