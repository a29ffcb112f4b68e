import { definePlugin } from '../../kernel/index.js'
import { ENGINES } from '../consensus/index.js'
import { pbft } from './engine.js'
import { pbftKeys } from './options.js'

/** Registers the engine `pbft`. */
export const pbftPlugin = definePlugin({
  name: 'pbft',
  description: "v0.6's PBFT: orders with agreement, for 3f + 1 validators of which f may be faulty",
  config: pbftKeys,
  requires: [ENGINES],
  apply(peer) {
    peer.hooks.registerServices.tap(async () => {
      const settings = new Map(Object.entries(peer.settings(pbftKeys)))
      // Durations were read as milliseconds; options write them as people do.
      const written = [...settings].map(([name, value]) => [name.replace(/^pbft\.(general\.)?/, ''), name.includes('timeout') ? `${value}ms` : value] as const)
      const known = written.filter(([name]) => name !== 'timeout.broadcast' && name !== 'executor.queuesize')
      peer.use(ENGINES).register(pbft, Object.fromEntries(known))
    })
  },
})
