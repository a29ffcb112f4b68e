import { definePlugin } from '../../kernel/index.js'
import { ENGINES } from '../consensus/index.js'
import { noops } from './engine.js'
import { noopsKeys } from './options.js'

/** Registers the engine `noops`. */
export const noopsPlugin = definePlugin({
  name: 'noops',
  description: 'the development engine: orders without agreement, for one validator',
  config: noopsKeys,
  requires: [ENGINES],
  apply(peer) {
    peer.hooks.registerServices.tap(async () => {
      const settings = peer.settings(noopsKeys)
      peer.use(ENGINES).register(noops, {
        'block.size': settings['noops.block.size'],
        'block.wait': `${settings['noops.block.wait']}ms`,
        batching: settings['noops.batching'],
      })
    })
  },
})
