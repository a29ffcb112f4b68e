import { definePlugin } from '../../kernel/index.js'
import { EngineCheckCommand } from './commands/check.js'
import { EngineDevCommand } from './commands/dev.js'
import { EngineNewCommand } from './commands/new.js'

/** Brings commands, and does nothing in a running peer. */
export default definePlugin({
  name: 'engine-authoring',
  description: 'peer engine new, dev and check: write a consensus engine, see it run, and learn whether it keeps its promises',
  commands: [EngineNewCommand, EngineDevCommand, EngineCheckCommand],
  apply: () => undefined,
})
