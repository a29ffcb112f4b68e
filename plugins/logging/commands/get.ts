import { Command, Option } from 'clipanion'
import { callUnary } from '../../../proto/index.js'
import { ANSWER_MS, LevelCommand, LogLevelsService } from './level-command.js'

/** `peer logging get`. */
export class LoggingGetCommand extends LevelCommand {
  static override paths = [['logging', 'get']]
  static override usage = Command.Usage({
    category: 'logging specific commands.',
    description: 'Log levels of the running peer, by component.',
    details: 'Asks the peer at `peer.address`. A star marks a level that a component has of its own; (others) is the level of everything else.',
    examples: [
      ['Of all components', 'peer logging get'],
      ['Of some', 'peer logging get ledger consensus'],
    ],
  })

  components = Option.Rest({ name: 'component' })

  protected async run(): Promise<void> {
    const client = await this.connect()
    const levels = await callUnary(client, LogLevelsService.get, { components: this.components }, { deadline: Date.now() + ANSWER_MS })
    this.show(levels, this.components.length === 0)
  }
}
