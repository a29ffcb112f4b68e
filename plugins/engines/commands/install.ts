import { resolve } from 'node:path'
import { Command, Option } from 'clipanion'
import { PeerCommand, peerKeys } from '../../../kernel/index.js'
import { enginesKeys } from '../keys.js'
import { devnetAround, devnetFor, placeOf } from './devnet-peers.js'
import { loaderFor } from './tools.js'

/** `peer engine install`: puts the code of an engine beside the others of this peer. */
export class InstallCommand extends PeerCommand {
  static override paths = [['engine', 'install']]
  static override usage = Command.Usage({
    category: 'engine specific commands.',
    description: 'Install a consensus engine from an archive or a folder.',
    details:
      'Takes an archive made by `npm pack`, or the folder of a built package, and keeps its own files in `engines/<name>@<version>` below `peer.fileSystemPath`, ' +
      'or, with --all, below that of every validator of the devnet in this directory. Before, the code is loaded once in a sandboxed process of its own and says its ' +
      'name and version, and the package has to be fit: its version that of the engine, weft a peer dependency whose range takes this weft, the defaults of its ' +
      'options accepted by itself. Versions lie side by side; a running peer finds a new one at once.',
    examples: [
      ['An archive', 'peer engine install weft-engine-raft-1.1.0.tgz'],
      ['A package that you are working on', 'peer engine install ./my-engine'],
      ['On every validator of the devnet in this directory', 'peer engine install ./my-engine --all'],
      ['For programs', 'peer engine install ./my-engine --json'],
    ],
  })

  from = Option.String({ name: 'archive or folder' })
  all = Option.Boolean('--all', false, { description: 'on every validator of the devnet in this directory' })

  protected async run(): Promise<void> {
    const settings = await this.settings({ ...peerKeys, ...enginesKeys })
    const [{ installEngine }, { InstalledEngines }, loader] = await Promise.all([
      import('../install.js'),
      import('../installed.js'),
      loaderFor(settings, (text) => this.warn(text)),
    ])
    const { cwd } = this.context
    const own = settings['peer.fileSystemPath']
    const directories = this.all ? (await devnetFor(cwd)).peers.map(({ data }) => data) : [own]
    const installed = await installEngine(
      resolve(cwd, this.from),
      directories.map((directory) => new InstalledEngines(directory)),
      loader,
    )
    const { note, warnings, outcomes } = installed
    for (const warning of warnings) this.warn(`${note.name}@${note.version}: ${warning}`)
    const what = `${note.name}@${note.version}`
    const of = `: ${note.package.name}, code ${note.codeDigest.slice(0, 16)}`
    const lines = directories.map((directory, index) =>
      outcomes[index] === 'installed'
        ? `installed ${what} in ${placeOf(directory, cwd)}${of}\n`
        : `${what} was installed already in ${placeOf(directory, cwd)}${of}\n`,
    )
    const outcome = outcomes.includes('installed') ? 'installed' : 'there'
    this.report({ ...note, outcome, directories }, lines.join(''))
    if (!this.all) await this.warnOfDevnet(own, what)
  }

  /** Who has a devnet here mostly means its validators, which look elsewhere. */
  private async warnOfDevnet(own: string, what: string): Promise<void> {
    const { cwd } = this.context
    const devnet = await devnetAround(cwd)
    const others = devnet?.peers.filter(({ data }) => data !== own) ?? []
    if (!devnet || others.length === 0) return
    this.warn(
      `the devnet in ${placeOf(devnet.directory, cwd)} looks elsewhere: ${others.map(({ id }) => id).join(', ')} did not get ${what}; peer engine install ${this.from} --all installs it on all of them`,
    )
  }
}
