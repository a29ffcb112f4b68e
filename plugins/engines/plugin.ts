import { definePlugin, peerKeys, type Plugin } from '../../kernel/index.js'
import { consensusKeys, ENGINES } from '../consensus/index.js'
import type { ConfigChecker } from '../site/index.js'
import { InstallCommand } from './commands/install.js'
import { ListCommand } from './commands/list.js'
import { RemoveCommand } from './commands/remove.js'
import { enginesKeys, limitsOf } from './keys.js'
import type { WarmableSource } from './lazy-source.js'

/** So long after its start the engines of packages are loaded. */
const WARM_AFTER_MS = 3000

/** Engines from packages: those that the site names and those that were installed, in processes of their own unless the site trusts them. */
const plugin = definePlugin({
  name: 'engines',
  description: 'engines from packages, each in a sandboxed process of its own; peer engine install, list, remove',
  config: { ...enginesKeys, 'consensus.options': consensusKeys['consensus.options'] },
  requires: [ENGINES],
  commands: [InstallCommand, ListCommand, RemoveCommand],
  apply(peer) {
    let source: WarmableSource | undefined
    let cancel = (): void => undefined
    peer.hooks.registerServices.tap(async () => {
      const settings = peer.settings({ ...enginesKeys, 'consensus.options': consensusKeys['consensus.options'] })
      const { lazySource } = await import('./lazy-source.js')
      source = lazySource({
        limits: limitsOf(settings),
        packages: settings['consensus.engines'],
        trusted: settings['consensus.trusted'],
        options: settings['consensus.options'],
        dataDirectory: peer.settings(peerKeys)['peer.fileSystemPath'],
        log: peer.log,
        clock: peer.clock,
        run: (name, work) => peer.run(name, work),
      })
      peer.use(ENGINES).addSource(source)
    })
    peer.hooks.start.tap(async () => {
      const named = source
      if (!named || peer.settings(enginesKeys)['consensus.engines'].length === 0) return
      // After the network has formed: a swap may come at any time, and must not wait for it then.
      cancel = peer.clock.setTimer(WARM_AFTER_MS, () => peer.run('load the engines that the site names', named.warm()))
    })
    peer.hooks.stop.tap(async () => cancel())
  },
})

export default Object.freeze({
  ...plugin,
  checkConfig: async (checked) => (await import('./check-config.js')).checkEngines(checked),
} satisfies Plugin & ConfigChecker)
