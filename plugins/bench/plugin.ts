import { definePlugin } from '../../kernel/index.js'
import { BenchCommand } from './commands/bench.js'
import { BenchSwapsCommand } from './commands/swaps.js'

/** Measures a network of validators on this machine. A running peer gets nothing of it. */
export default definePlugin({
  name: 'bench',
  description: 'peer bench: speed of a whole network on this machine',
  commands: [BenchCommand, BenchSwapsCommand],
  apply: () => undefined,
})
