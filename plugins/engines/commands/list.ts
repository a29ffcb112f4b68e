import { Command } from 'clipanion'
import { columns, PeerCommand, peerKeys } from '../../../kernel/index.js'
import { enginesKeys } from '../keys.js'
import { loaderFor } from './tools.js'

/** `peer engine list`: the engines of packages that this peer can run. */
export class ListCommand extends PeerCommand {
  static override paths = [['engine', 'list']]
  static override usage = Command.Usage({
    category: 'engine specific commands.',
    description: 'List the engines of packages: installed, or named in consensus.engines.',
    details: 'Engines that plugins of the site bring (noops, pbft) are not listed; `peer plugin list` shows them. Exit code 1 if one cannot be loaded.',
    examples: [
      ['All', 'peer engine list'],
      ['For programs', 'peer engine list --json'],
    ],
  })

  protected async run(): Promise<number> {
    const settings = await this.settings({ ...peerKeys, ...enginesKeys })
    const [{ PackagedEngines }, { InstalledEngines }, loader] = await Promise.all([
      import('../source.js'),
      import('../installed.js'),
      loaderFor(settings, (text) => this.warn(text)),
    ])
    const engines = await new PackagedEngines({
      loader,
      installed: new InstalledEngines(settings['peer.fileSystemPath']),
      packages: settings['consensus.engines'],
      directory: this.context.cwd,
      trusted: settings['consensus.trusted'],
      optionsOf: () => ({}),
      run: () => undefined,
    }).list()
    const rows = engines.map(({ name, version, codeDigest, isolated, origin, problem }): readonly [string, string] => [
      problem === undefined ? `${name}@${version}` : name,
      problem ?? `${isolated ? 'in a process of its own' : 'inside the peer'}, code ${codeDigest?.slice(0, 16) ?? 'unknown'}, ${origin}`,
    ])
    this.report({ engines }, rows.length === 0 ? 'no engine is installed or named in consensus.engines\n' : `${columns(rows).join('\n')}\n`)
    return engines.some(({ problem }) => problem !== undefined) ? 1 : 0
  }
}
