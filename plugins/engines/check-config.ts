import { resolve } from 'node:path'
import { messageOf, nearest, peerKeys } from '../../kernel/index.js'
import { type CatalogEngine, consensusKeys, type EnginePlugin } from '../consensus/index.js'
import { validatorKeys } from '../ledger/index.js'
import type { CheckedSite, ConfigNote } from '../site/index.js'
import { enginesKeys } from './keys.js'

/** The keys that this check reads; the site may lack the plugin that declares them. */
const KEYS = ['peer.validator.consensus.plugin', 'consensus.options', 'consensus.engines'] as const

/**
 * Reads the options of engines as the engines do: of the one that the network begins with, whose mistakes stop a start, and of those that the site names or has
 * options for. Code of packages is loaded where it runs later: in a process of its own, or here if the site trusts it.
 */
export async function checkEngines(checked: CheckedSite): Promise<readonly ConfigNote[]> {
  const known = new Set(checked.entries().map(({ key }) => key))
  if (!KEYS.every((key) => known.has(key))) return []
  const settings = checked.settings(consensusKeys)
  const options = settings['consensus.options']
  const first = settings['peer.validator.consensus.plugin'].toLowerCase()
  const isValidator = checked.settings(validatorKeys)['peer.validator.enabled']
  const own = checked.site.plugins.filter(isEnginePlugin)
  const names = new Set([first, ...Object.keys(options).map((name) => name.toLowerCase()), ...own.map(({ engine }) => engine.name.toLowerCase())])
  const packaged = await packagedEngines(
    checked,
    [...names].some((name) => !own.some(({ engine }) => same(engine.name, name))),
  )
  const notes: ConfigNote[] = [...packaged.problems]
  for (const name of names) {
    const level = name === first && isValidator ? 'error' : 'warning'
    const engine = own.find((one) => same(one.engine.name, name))
    const written = Object.keys(options).find((one) => same(one, name))
    try {
      if (engine) engine.engine.parseOptions(engine.siteOptions(checked.settings))
      else {
        const found = await packaged.find(name)
        if (found) await found.checkOptions(found.options)
        else notes.push({ level, message: unknownText(name, first, written, [...own.map((one) => one.engine.name), ...packaged.names], placeOf(checked)) })
      }
    } catch (error) {
      notes.push({
        level,
        message: `${name === first ? 'peer.validator.consensus.plugin' : 'consensus.options'} (${placeOf(checked)(name === first ? KEYS[0] : KEYS[1])}): ${messageOf(error)}`,
      })
    }
  }
  return notes
}

interface Packaged {
  readonly names: readonly string[]
  readonly problems: readonly ConfigNote[]
  readonly find: (name: string) => Promise<CatalogEngine | undefined>
}

/** Looks at packages only if somebody is looked for among them: that starts a process for each. */
async function packagedEngines({ settings, directory }: CheckedSite, isWanted: boolean): Promise<Packaged> {
  const values = settings(enginesKeys)
  const packages = values['consensus.engines']
  if (!isWanted && packages.length === 0) return { names: [], problems: [], find: async () => undefined }
  const [{ PackagedEngines }, { InstalledEngines }, { loaderFor }] = await Promise.all([
    import('./source.js'),
    import('./installed.js'),
    import('./commands/tools.js'),
  ])
  const options = settings(consensusKeys)['consensus.options']
  const source = new PackagedEngines({
    loader: await loaderFor(values, () => undefined),
    installed: new InstalledEngines(resolve(directory, settings(peerKeys)['peer.fileSystemPath'])),
    packages,
    directory,
    trusted: values['consensus.trusted'],
    optionsOf: (name) => options[name] ?? {},
    run: () => undefined,
  })
  const listed = await source.list()
  const problems = listed.flatMap(({ name, problem }): ConfigNote[] =>
    problem === undefined ? [] : [{ level: 'warning', message: `consensus.engines: the engine of ${name} cannot be used: ${problem}` }],
  )
  return {
    names: listed.flatMap(({ name, problem }) => (problem === undefined ? [name] : [])),
    problems,
    find: (name) => source.find(name, undefined),
  }
}

function unknownText(name: string, first: string, written: string | undefined, has: readonly string[], place: (key: string) => string): string {
  const near = nearest(name, has)
  const key = name === first ? KEYS[0] : `${KEYS[1]}.${written ?? name}`
  const where = place(name === first ? KEYS[0] : KEYS[1])
  const guess = near === undefined ? '' : `, did you mean ${near}`
  return `${key} (${where}): this site has no engine '${written ?? name}'${guess}; it has ${[...new Set(has)].join(', ') || 'none'}; others come from plugins, consensus.engines and peer engine install`
}

function placeOf({ entries }: CheckedSite): (key: string) => string {
  return (key) => {
    const entry = entries().find((one) => one.key === key)
    if (entry === undefined) return 'not set'
    return entry.layer === 'default' ? `default of ${entry.origin}` : `${entry.layer} ${entry.origin}`
  }
}

function isEnginePlugin<T extends object>(plugin: T): plugin is T & EnginePlugin<unknown> {
  return 'engine' in plugin && 'siteOptions' in plugin && typeof plugin.siteOptions === 'function'
}

function same(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase()
}
