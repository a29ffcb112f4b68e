import { definePlugin, peerKeys, type Plugin } from '../../kernel/index.js'
import { consensusKeys, ENGINES } from '../consensus/index.js'
import type { ConfigChecker } from '../site/index.js'
import { InstallCommand } from './commands/install.js'
import { ListCommand } from './commands/list.js'
import { RemoveCommand } from './commands/remove.js'
import { enginesKeys, limitsOf } from './keys.js'

/** Engines from packages: those that the site names and those that were installed, in processes of their own unless the site trusts them. */
const plugin = definePlugin({
  name: 'engines',
  description: 'engines from packages, each in a sandboxed process of its own; peer engine install, list, remove',
  config: { ...enginesKeys, 'consensus.options': consensusKeys['consensus.options'] },
  requires: [ENGINES],
  commands: [InstallCommand, ListCommand, RemoveCommand],
  apply(peer) {
    peer.hooks.registerServices.tap(async () => {
      const settings = peer.settings({ ...enginesKeys, 'consensus.options': consensusKeys['consensus.options'] })
      const { lazySource } = await import('./lazy-source.js')
      peer.use(ENGINES).addSource(
        lazySource({
          limits: limitsOf(settings),
          packages: settings['consensus.engines'],
          trusted: settings['consensus.trusted'],
          options: settings['consensus.options'],
          dataDirectory: peer.settings(peerKeys)['peer.fileSystemPath'],
          log: peer.log,
          clock: peer.clock,
          run: (name, work) => peer.run(name, work),
        }),
      )
    })
  },
})

export default Object.freeze({
  ...plugin,
  checkConfig: async (checked) => (await import('./check-config.js')).checkEngines(checked),
} satisfies Plugin & ConfigChecker)
