import { definePlugin } from '../../kernel/index.js'
import { CompletionCommand } from './commands/completion.js'
import { ConfigCheckCommand } from './commands/config-check.js'
import { ConfigImportCommand } from './commands/config-import.js'
import { ConfigSchemaCommand } from './commands/config-schema.js'
import { ConfigShowCommand } from './commands/config-show.js'
import { InitCommand } from './commands/init.js'
import { PluginListCommand } from './commands/plugin-list.js'
import { UNUSED_KEYS } from './unused-keys.js'

/** `peer init`, `peer config …`, `peer plugin list` and `peer completion`: nothing here runs in a peer. */
export default definePlugin({
  name: 'site',
  description: 'peer init, config show, check, schema and import, plugin list, shell completion',
  unusedKeys: UNUSED_KEYS,
  commands: [InitCommand, ConfigShowCommand, ConfigCheckCommand, ConfigSchemaCommand, ConfigImportCommand, PluginListCommand, CompletionCommand],
  apply() {
    // Commands only: it taps no hook.
  },
})
