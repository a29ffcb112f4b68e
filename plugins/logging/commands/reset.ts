import { Command, Option } from 'clipanion'
import { callUnary } from '../../../proto/index.js'
import { ANSWER_MS, LevelCommand, LogLevelsService } from './level-command.js'

/** `peer logging reset`. */
export class LoggingResetCommand extends LevelCommand {
  static override paths = [['logging', 'reset']]
  static override usage = Command.Usage({
    category: 'logging specific commands.',
    description: 'Log levels of the running peer back to its configuration.',
    details: 'Undoes what `peer logging set` changed: for the components that are named, or for all.',
    examples: [
      ['All', 'peer logging reset'],
      ['One', 'peer logging reset consensus'],
    ],
  })

  components = Option.Rest({ name: 'component' })

  protected async run(): Promise<void> {
    const client = await this.connect()
    this.show(await callUnary(client, LogLevelsService.reset, { components: this.components }, { deadline: Date.now() + ANSWER_MS }), true)
  }
}
