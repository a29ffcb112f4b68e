import { PeerCommand } from '../../../kernel/index.js'
import { configNotes } from '../notes.js'

/** `peer config check` */
export class ConfigCheckCommand extends PeerCommand {
  static override paths = [['config', 'check']]
  static override usage = PeerCommand.Usage({
    description: 'Check the configuration of this site.',
    details: 'Prints every error at once, with place, expectation and finding, and exits with 1; starts nothing.',
    examples: [['Check a file before it is used', '$0 config check --config ./peer.config.ts']],
  })

  protected async run(): Promise<void> {
    const site = await this.site()
    const { file } = site
    const resolved = await this.resolved()
    const changed = resolved.entries().filter(({ layer }) => layer !== 'default').length
    const notes = configNotes(site)
    const lines = notes.map(({ level, message }) => `${level}: ${message}\n`).join('')
    this.report(
      { file, valid: true, keys: resolved.entries().length, set: changed, notes },
      `${lines}${file} is valid: ${changed} of ${resolved.entries().length} keys are set.\n`,
    )
  }
}
