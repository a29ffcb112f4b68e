import { Command, Option } from 'clipanion'
import { columns, PeerCommand, peerKeys } from '../../../kernel/index.js'
import { enginesKeys } from '../keys.js'
import { devnetAround, devnetFor, placeOf } from './devnet-peers.js'
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
      ['Those of every validator of the devnet in this directory', 'peer engine list --all'],
      ['For programs', 'peer engine list --json'],
    ],
  })

  all = Option.Boolean('--all', false, { description: 'those that are installed on the validators of the devnet in this directory' })

  protected async run(): Promise<number> {
    if (this.all) return this.listAll()
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
      problem ??
        `${isolated ? 'in a process of its own' : 'inside the peer'}, code ${codeDigest?.slice(0, 16) ?? 'unknown'}, ${placeOf(origin, this.context.cwd)}`,
    ])
    const where = placeOf(settings['peer.fileSystemPath'], this.context.cwd)
    this.report({ engines }, rows.length === 0 ? `no engine is installed in ${where} or named in consensus.engines\n` : `${columns(rows).join('\n')}\n`)
    const devnet = await devnetAround(this.context.cwd)
    if (devnet && devnet.peers.every(({ data }) => data !== settings['peer.fileSystemPath']))
      this.warn(`the devnet in ${placeOf(devnet.directory, this.context.cwd)} looks elsewhere: peer engine list --all`)
    return engines.some(({ problem }) => problem !== undefined) ? 1 : 0
  }

  /** By engine, with those who have it: a swap needs the same code on all of them. */
  private async listAll(): Promise<number> {
    const { InstalledEngines } = await import('../installed.js')
    const damaged: string[] = []
    const engines = new Map<string, { readonly name: string; readonly version: string; readonly codeDigest: string; readonly validators: string[] }>()
    for (const { id, data } of (await devnetFor(this.context.cwd)).peers) {
      const found = await new InstalledEngines(data).list((folder, reason) => damaged.push(`${id}: ${folder}: ${reason}`))
      for (const { name, version, codeDigest } of found) {
        const key = `${name}@${version} ${codeDigest}`
        const known = engines.get(key) ?? { name, version, codeDigest, validators: [] }
        known.validators.push(id)
        engines.set(key, known)
      }
    }
    const rows = [...engines.values()].map(({ name, version, codeDigest, validators }): readonly [string, string] => [
      `${name}@${version}`,
      `on ${validators.join(', ')}, code ${codeDigest.slice(0, 16)}`,
    ])
    for (const text of damaged) this.warn(text)
    this.report(
      { engines: [...engines.values()] },
      rows.length === 0 ? 'no engine is installed on a validator of this devnet\n' : `${columns(rows).join('\n')}\n`,
    )
    return damaged.length === 0 ? 0 : 1
  }
}
