import { Option } from 'clipanion'
import { PeerCommand, PeerError } from '../../../kernel/index.js'
import { SHELLS, candidates, completionScript } from '../completion.js'

/** `peer completion` */
export class CompletionCommand extends PeerCommand {
  static override paths = [['completion']]
  static override usage = PeerCommand.Usage({
    description: 'Print a completion script for bash, zsh or fish.',
    details: 'Completes the commands and flags of the site in whose directory it is made.',
    examples: [
      ['In ~/.bashrc', 'eval "$($0 completion bash)"'],
      ['In ~/.config/fish/config.fish', '$0 completion fish | source'],
    ],
  })

  shell = Option.String({ name: 'shell' })

  protected async run(): Promise<void> {
    const shell = SHELLS.find((known) => known === this.shell)
    if (shell === undefined) throw new PeerError('ERR_USAGE', `expected one of ${SHELLS.join(', ')}, found ${this.shell}`)
    const table = candidates(this.cli.definitions())
    this.report({ shell, candidates: Object.fromEntries(table) }, completionScript(shell, table))
  }
}
