import { definePlugin } from '../../kernel/index.js'
import { DevnetDownCommand } from './commands/down.js'
import { DevnetLogsCommand } from './commands/logs.js'
import { DevnetStatusCommand } from './commands/status.js'
import { DevnetUpCommand } from './commands/up.js'

/** A network of peers on this machine, for trying things out. A running peer gets nothing of it. */
export default definePlugin({
  name: 'devnet',
  description: 'peer devnet up, down, status and logs: a network of real peers on this machine',
  commands: [DevnetUpCommand, DevnetDownCommand, DevnetStatusCommand, DevnetLogsCommand],
  apply: () => undefined,
})
