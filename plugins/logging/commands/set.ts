import { Command, Option } from 'clipanion'
import { callUnary } from '../../../proto/index.js'
import { ANSWER_MS, LevelCommand, LogLevelsService } from './level-command.js'

/** `peer logging set`. */
export class LoggingSetCommand extends LevelCommand {
  static override paths = [['logging', 'set']]
  static override usage = Command.Usage({
    category: 'logging specific commands.',
    description: 'Change log levels of the running peer, until it ends.',
    details:
      'Takes COMPONENT=LEVEL, any number of them, or a spec as `--logging-level` does. Only the components that are named change; a level that stands alone replaces the levels of all. Levels: critical, error, warning, notice, info, debug.',
    examples: [
      ['One component in detail', 'peer logging set consensus=debug'],
      ['Some in detail, all others quiet', 'peer logging set warning:ledger,chaincode=debug'],
      ['Back to the configuration', 'peer logging reset'],
    ],
  })

  specs = Option.Rest({ name: 'component=level', required: 1 })

  protected async run(): Promise<void> {
    const client = await this.connect()
    this.show(await callUnary(client, LogLevelsService.set, { spec: this.specs.join(':') }, { deadline: Date.now() + ANSWER_MS }), true)
  }
}
