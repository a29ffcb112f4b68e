import { resolve } from 'node:path'
import { Command, Option } from 'clipanion'
import { PeerCommand, peerKeys } from '../../../kernel/index.js'
import { enginesKeys } from '../keys.js'
import { devnetAround, devnetFor, placeOf } from './devnet-peers.js'
import { loaderFor } from './tools.js'
import type { ExaminedEngine, Installed } from '../install.js'
import type { InstalledNote } from '../installed.js'

/** `peer engine install`: puts the code of an engine beside the others of this peer. */
export class InstallCommand extends PeerCommand {
  static override paths = [['engine', 'install']]
  static override usage = Command.Usage({
    category: 'engine specific commands.',
    description: 'Install consensus engines from archives or folders.',
    details:
      'Takes archives made by `npm pack`, or folders of built packages, and keeps the own files of each in `engines/<name>@<version>` below `peer.fileSystemPath`, ' +
      'or, with --all, below that of every validator of the devnet in this directory. Before, the code is loaded once in a sandboxed process of its own and says its ' +
      'name and version, and the package has to be fit: its version that of the engine, weft a peer dependency whose range takes this weft, the defaults of its ' +
      'options accepted by itself. Versions lie side by side; a running peer finds a new one at once.',
    examples: [
      ['An archive', 'peer engine install weft-engine-raft-1.1.0.tgz'],
      ['Several: all of them, or none if one is not fit', 'peer engine install weft-engine-raft-1.1.0.tgz ./my-engine'],
      ['A package that you are working on', 'peer engine install ./my-engine'],
      ['On every validator of the devnet in this directory', 'peer engine install ./my-engine --all'],
      ['For programs', 'peer engine install ./my-engine --json'],
    ],
  })

  from = Option.Rest({ name: 'archive or folder', required: 1 })
  all = Option.Boolean('--all', false, { description: 'on every validator of the devnet in this directory' })

  protected async run(): Promise<void> {
    const settings = await this.settings({ ...peerKeys, ...enginesKeys })
    const [{ addEngine, examineEngine }, { InstalledEngines }, loader] = await Promise.all([
      import('../install.js'),
      import('../installed.js'),
      loaderFor(settings, (text) => this.warn(text)),
    ])
    const { cwd } = this.context
    const own = settings['peer.fileSystemPath']
    const directories = this.all ? (await devnetFor(cwd)).peers.map(({ data }) => data) : [own]
    const peers = directories.map((directory) => new InstalledEngines(directory))
    // All are fit, or none is installed.
    const examined: ExaminedEngine[] = []
    for (const path of this.from) examined.push(await examineEngine(resolve(cwd, path), new InstalledEngines(directories[0] ?? own), loader))
    const installed: Installed[] = []
    for (const engine of examined) installed.push(await addEngine(engine, peers))
    for (const { note, warnings } of installed) for (const warning of warnings) this.warn(`${nameOf(note)}: ${warning}`)
    const shown = installed.map(({ note, outcomes }) => ({ ...note, outcome: outcomes.includes('installed') ? 'installed' : 'there', directories }))
    const lines = installed.flatMap(({ note, outcomes }) =>
      directories.map((directory, index) => {
        const what = outcomes[index] === 'installed' ? `installed ${nameOf(note)}` : `${nameOf(note)} was installed already`
        return `${what} in ${placeOf(directory, cwd)}: ${note.package.name}, code ${note.codeDigest.slice(0, 16)}\n`
      }),
    )
    this.report(shown.length === 1 ? shown[0] : { engines: shown }, lines.join(''))
    if (!this.all)
      await this.warnOfDevnet(
        own,
        installed.map(({ note }) => note),
      )
  }

  /** Who has a devnet here mostly means its validators, which look elsewhere. */
  private async warnOfDevnet(own: string, notes: readonly InstalledNote[]): Promise<void> {
    const { cwd } = this.context
    const devnet = await devnetAround(cwd)
    if (!devnet) return
    const { InstalledEngines } = await import('../installed.js')
    const lacking: string[] = []
    for (const { id, data } of devnet.peers.filter((peer) => peer.data !== own)) {
      const there = await new InstalledEngines(data).list(() => undefined)
      const has = ({ codeDigest }: InstalledNote): boolean => there.some((engine) => engine.codeDigest === codeDigest)
      if (!notes.every(has)) lacking.push(id)
    }
    if (lacking.length === 0) return
    const what = notes.map(nameOf).join(', ')
    this.warn(
      `the devnet in ${placeOf(devnet.directory, cwd)} looks elsewhere: ${lacking.join(', ')} did not get ${what}; peer engine install ${this.from.join(' ')} --all installs on all of them`,
    )
  }
}

function nameOf({ name, version }: InstalledNote): string {
  return `${name}@${version}`
}
