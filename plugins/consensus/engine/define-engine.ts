import { definePlugin, type KeySpecs, type Plugin, type Settings } from '../../../kernel/index.js'
import type { EngineFactory } from './engine.js'
import { consensusKeys } from '../keys.js'
import { ENGINES } from '../tokens.js'

/** An engine as a plugin: what an engine's package exports as default. */
export interface EnginePlugin<O> extends Plugin {
  readonly engine: EngineFactory<O>
  /** The site's options for it, as `parseOptions` takes them; `settings` gives the values of keys of this plugin. */
  readonly siteOptions: (settings: <K extends KeySpecs>(keys: K) => Settings<K>) => unknown
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
  return enginePlugin(engine, {
    name: `engine-${name}`,
    description: `the consensus engine ${name}`,
    config: { 'consensus.options': consensusKeys['consensus.options'] },
    optionsOf: (settings) => settings['consensus.options'][name] ?? {},
  })
}

/** A plugin that registers an engine; `optionsOf` makes raw options of what the site says under its keys. */
export function enginePlugin<O, K extends KeySpecs>(engine: EngineFactory<O>, { optionsOf, ...own }: EnginePluginParts<K>): EnginePlugin<O> {
  const siteOptions: EnginePlugin<O>['siteOptions'] = (settings) => optionsOf(settings(own.config))
  const plugin = definePlugin({
    ...own,
    requires: [ENGINES],
    apply(peer) {
      peer.hooks.registerServices.tap(async () => {
        peer.use(ENGINES).register(
          engine,
          siteOptions((wanted) => peer.settings(wanted)),
        )
      })
    },
  })
  return Object.freeze({ ...plugin, engine, siteOptions })
}

/** What makes a plugin of an engine. */
interface EnginePluginParts<K extends KeySpecs> {
  readonly name: string
  readonly description: string
  /** The keys that it reads. */
  readonly config: K
  readonly optionsOf: (settings: Settings<K>) => unknown
}
