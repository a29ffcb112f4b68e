import { definePlugin, type Settings } from '../../kernel/index.js'
import { ENGINES, type EnginePlugin } from '../consensus/index.js'
import { noops } from './engine.js'
import { type NoopsOptions, noopsKeys } from './options.js'

/** Registers the engine `noops`. */
export const noopsPlugin: EnginePlugin<NoopsOptions> = Object.freeze({
  ...definePlugin({
    name: 'noops',
    description: 'the development engine: orders without agreement, for one validator',
    config: noopsKeys,
    requires: [ENGINES],
    apply(peer) {
      peer.hooks.registerServices.tap(async () => peer.use(ENGINES).register(noops, optionsOf(peer.settings(noopsKeys))))
    },
  }),
  engine: noops,
  siteOptions: (settings) => optionsOf(settings(noopsKeys)),
} satisfies EnginePlugin<NoopsOptions>)

/** The site's keys as options. */
function optionsOf(settings: Settings<typeof noopsKeys>): unknown {
  return {
    'block.size': settings['noops.block.size'],
    'block.wait': `${settings['noops.block.wait']}ms`,
    batching: settings['noops.batching'],
  }
}
