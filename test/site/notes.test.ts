import { expect, test } from 'vitest'
import { defineKeys, definePlugin, integer, key, map, resolveSettings } from '../../kernel/index.js'
import { layerSite } from '../../kernel/config/layers.js'
import ledger, { ledgerKeys } from '../../plugins/ledger/index.js'
import { configNotes } from '../../plugins/site/notes.js'

const loomKeys = defineKeys({
  'loom.threads': key(integer({ min: 1, max: 64 }), 4, 'threads of the loom'),
  'loom.patterns': key(map(), {}, 'patterns by name'),
})
const loom = definePlugin({ name: 'loom', config: loomKeys, unusedKeys: ['loom.steam', 'mill.wheel'], apply: () => undefined })

const layered = (values: Readonly<Record<string, unknown>>, env: NodeJS.ProcessEnv = {}, set: string[] = []) =>
  layerSite(
    {
      file: '/site/peer.config.ts',
      plugins: [loom],
      values: new Map(Object.entries(values).map(([name, value]) => [name, { value, layer: 'file' as const, origin: '/site/peer.config.ts' }])),
    },
    env,
    set,
  )
test('a variable that must not reach its key is a warning that names the key', () => {
  const variable = 'CORE_LEDGER_STATE_DATASTRUCTURE_CONFIGS_NUMBUCKETS'
  const site = layerSite({ file: '/site/peer.config.ts', plugins: [ledger], values: new Map() }, { [variable]: '7' }, [])
  expect(resolveSettings(site).settings(ledgerKeys)['ledger.state.dataStructure.configs.numBuckets']).toBe(1_000_003)
  expect(configNotes(site)).toEqual([
    {
      level: 'warning',
      message: `${variable} is ignored, as v0.6 ignores it: set ledger.state.dataStructure.configs.numBuckets in a file, or with --set`,
    },
  ])
})

test('settings of v0.6 that are not used give one note; unknown variables give warnings with the nearest', () => {
  const notes = configNotes(
    layered(
      { 'loom.steam': true, 'mill.wheel.size': 3 },
      { CORE_MILL_WHEEL: '1', CORE_LOOM_THREAD: '2', CORE_LOOM: '{}', CORE_LOOM_PATTERNS_TWILL: 'x', CORE_ZZZZZZZZZZZZZZZZZZZZZZZZ: 'x' },
    ),
  )
  expect(notes).toEqual([
    {
      level: 'notice',
      message:
        'settings of v0.6 that Weft does not use are ignored: loom.steam (file /site/peer.config.ts), mill.wheel.size (file /site/peer.config.ts), CORE_MILL_WHEEL',
    },
    { level: 'warning', message: 'CORE_LOOM names a whole section and is ignored: set single keys, such as CORE_LOOM_THREADS' },
    { level: 'warning', message: 'CORE_LOOM_PATTERNS_TWILL is ignored: entries of loom.patterns cannot be set from the environment, use a file or --set' },
    { level: 'warning', message: 'CORE_LOOM_THREAD is ignored: no plugin of this site knows it, did you mean CORE_LOOM_THREADS?' },
    { level: 'warning', message: 'CORE_ZZZZZZZZZZZZZZZZZZZZZZZZ is ignored: no plugin of this site knows it' },
  ])
})
