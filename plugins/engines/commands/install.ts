import { resolve } from 'node:path'
import { Command, Option } from 'clipanion'
import { PeerCommand, peerKeys } from '../../../kernel/index.js'
import { enginesKeys } from '../keys.js'
import { loaderFor } from './tools.js'

/** `peer engine install`: puts the code of an engine beside the others of this peer. */
export class InstallCommand extends PeerCommand {
  static override paths = [['engine', 'install']]
  static override usage = Command.Usage({
    category: 'engine specific commands.',
    description: 'Install a consensus engine from an archive or a folder.',
    details:
      'Takes an archive made by `npm pack`, or the folder of a built package, and keeps its own files in `engines/<name>@<version>` below `peer.fileSystemPath`. ' +
      'Before, the code is loaded once in a sandboxed process of its own and says its name and version. Versions lie side by side; a running peer finds a new one at once.',
    examples: [
      ['An archive', 'peer engine install weft-engine-raft-1.1.0.tgz'],
      ['A package that you are working on', 'peer engine install ./my-engine'],
      ['For programs', 'peer engine install ./my-engine --json'],
    ],
  })

  from = Option.String({ name: 'archive or folder' })

  protected async run(): Promise<void> {
    const settings = await this.settings({ ...peerKeys, ...enginesKeys })
    const [{ installEngine }, { InstalledEngines }, loader] = await Promise.all([
      import('../install.js'),
      import('../installed.js'),
      loaderFor(settings, (text) => this.warn(text)),
    ])
    const { outcome, ...note } = await installEngine(resolve(this.context.cwd, this.from), new InstalledEngines(settings['peer.fileSystemPath']), loader)
    const what = `${note.name}@${note.version} of ${note.package.name}, code ${note.codeDigest.slice(0, 16)}`
    this.report({ ...note, outcome }, outcome === 'installed' ? `installed ${what}\n` : `${what} was installed already\n`)
  }
}
