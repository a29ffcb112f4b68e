import { definePlugin, type Settings } from '../../kernel/index.js'
import { ENGINES, type EnginePlugin } from '../consensus/index.js'
import { pbft } from './engine.js'
import { pbftKeys, type PbftOptions } from './options.js'

/** Registers the engine `pbft`. */
export const pbftPlugin: EnginePlugin<PbftOptions> = Object.freeze({
  ...definePlugin({
    name: 'pbft',
    description: "v0.6's PBFT: orders with agreement, for 3f + 1 validators of which f may be faulty",
    config: pbftKeys,
    requires: [ENGINES],
    apply(peer) {
      peer.hooks.registerServices.tap(async () => peer.use(ENGINES).register(pbft, optionsOf(peer.settings(pbftKeys))))
    },
  }),
  engine: pbft,
  siteOptions: (settings) => optionsOf(settings(pbftKeys)),
} satisfies EnginePlugin<PbftOptions>)

/** The site's keys as options. Durations were read as milliseconds; options write them as people do. */
function optionsOf(settings: Settings<typeof pbftKeys>): unknown {
  const own = Object.entries(settings).filter(([name]) => !/timeout\.broadcast|executor\.queuesize/.test(name))
  return Object.fromEntries(own.map(([name, value]) => [name.replace(/^pbft\.(general\.)?/, ''), name.includes('timeout') ? `${value}ms` : value]))
}
