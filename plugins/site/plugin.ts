import { type SiteConfig, definePlugin } from '../../kernel/index.js'
import { CompletionCommand } from './commands/completion.js'
import { ConfigCheckCommand } from './commands/config-check.js'
import { ConfigImportCommand } from './commands/config-import.js'
import { ConfigSchemaCommand } from './commands/config-schema.js'
import { ConfigShowCommand } from './commands/config-show.js'
import { HelpCommand } from './commands/help.js'
import { InitCommand } from './commands/init.js'
import { PluginListCommand } from './commands/plugin-list.js'
import { VersionCommand } from './commands/version.js'
import { ConfigCheck } from './doctor.js'
import { configNotes } from './notes.js'
import { UNUSED_KEYS } from './unused-keys.js'

/** `peer init`, `peer config …`, `peer plugin list` and `peer completion`; a running peer only hears what of its configuration is not used. */
export default definePlugin({
  name: 'site',
  description: 'peer init, config show, check, schema and import, plugin list, shell completion',
  unusedKeys: UNUSED_KEYS,
  commands: [
    InitCommand,
    ConfigShowCommand,
    ConfigCheckCommand,
    ConfigSchemaCommand,
    ConfigImportCommand,
    PluginListCommand,
    CompletionCommand,
    VersionCommand,
    HelpCommand,
    ConfigCheck,
  ],
  apply(peer) {
    let site: SiteConfig | undefined
    peer.hooks.config.tap(async (found) => (site = found))
    // Not before the endpoint hook: now the log levels are those of the site.
    peer.hooks.endpoint.tap(async (endpoint) => {
      for (const { level, message } of site === undefined ? [] : configNotes(site)) peer.log.in('config')[level](message)
      return endpoint
    })
  },
})
