import type { Plugin } from '../plugin.js'
import { PeerCommand } from './command.js'
import { columns } from './output.js'

/** What `peer plugin list --json` says of a plugin. */
function describe(plugin: Plugin) {
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
    const rows = plugins.map(({ name, version, description }): [string, string] => [`${name} ${version}`.trim(), description])
    this.report({ plugins }, rows.length === 0 ? 'This site has no plugins.\n' : `${columns(rows).join('\n')}\n`)
  }
}
