import { definePlugin } from '../../kernel/index.js'
import { SimCommand } from './commands/sim.js'

/** Brings a command, and does nothing in a running peer. */
export default definePlugin({
  name: 'sim',
  description: 'peer sim: simulate validators with any engine, and faults',
  commands: [SimCommand],
  apply: () => undefined,
})
