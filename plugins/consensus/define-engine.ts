import { definePlugin, type Plugin } from '../../kernel/index.js'
import type { EngineFactory } from './engine.js'
import { consensusKeys } from './keys.js'
import { ENGINES } from './tokens.js'

/** An engine as a plugin: what an engine's package exports as default. */
export interface EnginePlugin<O> extends Plugin {
  readonly engine: EngineFactory<O>
}

/**
 * Makes the default export of an engine's package. Listed among the site's `plugins` it registers the engine, which then runs inside the peer; listed in
 * `consensus.engines`, or installed, the engine runs in a process of its own. The site's options for it stand under `consensus.options.<name>`.
 *
 * @example
 * export default defineEngine({ name: 'sequencer', version: '1.0.0', agreement: true, tolerates, parseOptions, create })
 */
export function defineEngine<O>(engine: EngineFactory<O>): EnginePlugin<O> {
  const { name } = engine
  const plugin = definePlugin({
    name: `engine-${name}`,
    description: `the consensus engine ${name}`,
    config: { 'consensus.options': consensusKeys['consensus.options'] },
    requires: [ENGINES],
    apply(peer) {
      peer.hooks.registerServices.tap(async () => {
        peer.use(ENGINES).register(engine, peer.settings({ 'consensus.options': consensusKeys['consensus.options'] })['consensus.options'][name] ?? {})
      })
    },
  })
  return Object.freeze({ ...plugin, engine })
}
