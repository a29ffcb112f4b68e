import { PeerCommand, type PluginManifest } from '../../../kernel/index.js'

/** What `peer plugin list --json` says of a plugin. */
function describe(plugin: PluginManifest) {
  const names = (tokens: readonly { name: string }[] = []): string[] => tokens.map(({ name }) => name)
  return {
    name: plugin.name,
    version: plugin.version ?? '',
    description: plugin.description ?? '',
    provides: names(plugin.provides),
    requires: names(plugin.requires),
    uses: names(plugin.uses),
    keys: Object.keys(plugin.config ?? {}),
    commands: (plugin.commands ?? []).flatMap(({ paths = [] }) => paths.map((path) => path.join(' '))),
  }
}

/** `peer plugin list` */
export class PluginListCommand extends PeerCommand {
  static override paths = [['plugin', 'list']]
  static override usage = PeerCommand.Usage({
    description: 'List the plugins of this site.',
    details: 'Under --json with the services that each provides and needs, its keys and its commands.',
    examples: [['The plugins of the site found from here upwards', '$0 plugin list']],
  })

  protected async run(): Promise<void> {
    const plugins = (await this.context.loadedSite()).plugins.map(describe)
    const width = Math.max(...plugins.map(({ name, version }) => `${name} ${version}`.trim().length))
    const lines = plugins.map(({ name, version, description }) => `${`${name} ${version}`.trim().padEnd(width)}   ${description}`.trimEnd())
    this.report({ plugins }, `${lines.join('\n')}\n`)
  }
}
