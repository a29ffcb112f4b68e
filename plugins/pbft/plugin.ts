import type { Settings } from '../../kernel/index.js'
import { enginePlugin } from '../consensus/index.js'
import { pbft } from './engine.js'
import { pbftKeys } from './options.js'

/** Registers the engine `pbft`. */
export const pbftPlugin = enginePlugin(pbft, {
  name: 'pbft',
  description: "v0.6's PBFT: orders with agreement, for 3f + 1 validators of which f may be faulty",
  config: pbftKeys,
  optionsOf,
})

/** The site's keys as options. Durations were read as milliseconds; options write them as people do. */
function optionsOf(settings: Settings<typeof pbftKeys>): unknown {
  const own = Object.entries(settings).filter(([name]) => !/timeout\.broadcast|executor\.queuesize/.test(name))
  return Object.fromEntries(own.map(([name, value]) => [name.replace(/^pbft\.(general\.)?/, ''), name.includes('timeout') ? `${value}ms` : value]))
}
