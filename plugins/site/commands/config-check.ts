import { PeerCommand, PeerError } from '../../../kernel/index.js'
import { allNotes } from '../checker.js'

/** `peer config check` */
export class ConfigCheckCommand extends PeerCommand {
  static override paths = [['config', 'check']]
  static override usage = PeerCommand.Usage({
    description: 'Check the configuration of this site.',
    details:
      'Prints every error at once, with place, expectation and finding, and exits with 1; starts no peer. The options of the configured engine, and of those that consensus.options names, are read as the engines themselves read them.',
    examples: [['Check a file before it is used', '$0 config check --config ./peer.config.ts']],
  })

  protected async run(): Promise<void> {
    const site = await this.site()
    const { file } = site
    const resolved = await this.resolved()
    const changed = resolved.entries().filter(({ layer }) => layer !== 'default').length
    const notes = await allNotes({ site, directory: this.context.cwd, settings: (keys) => resolved.settings(keys), entries: () => resolved.entries() })
    const errors = notes.filter(({ level }) => level === 'error').map(({ message }) => message)
    if (errors.length > 0) {
      const count = `${errors.length} error${errors.length === 1 ? '' : 's'}`
      throw new PeerError('ERR_CONFIG_INVALID', `${count} in the configuration of ${file}\n${errors.map((line) => `  ${line}`).join('\n')}`, {
        details: { file, problems: errors },
      })
    }
    const lines = notes.map(({ level, message }) => `${level}: ${message}\n`).join('')
    this.report(
      { file, valid: true, keys: resolved.entries().length, set: changed, notes },
      `${lines}${file} is valid: ${changed} of ${resolved.entries().length} keys are set.\n`,
    )
  }
}
