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
      const settings = peer.settings(pbftKeys)
      peer.use(ENGINES).register(pbft, {
        N: settings['pbft.general.N'],
        f: settings['pbft.general.f'],
        K: settings['pbft.general.K'],
        logmultiplier: settings['pbft.general.logmultiplier'],
        batchsize: settings['pbft.general.batchsize'],
        viewchangeperiod: settings['pbft.general.viewchangeperiod'],
        'timeout.batch': `${settings['pbft.general.timeout.batch']}ms`,
        'timeout.request': `${settings['pbft.general.timeout.request']}ms`,
        'timeout.viewchange': `${settings['pbft.general.timeout.viewchange']}ms`,
        'timeout.resendviewchange': `${settings['pbft.general.timeout.resendviewchange']}ms`,
        'timeout.nullrequest': `${settings['pbft.general.timeout.nullrequest']}ms`,
        batching: settings['pbft.batching'],
      })
    })
  },
})
