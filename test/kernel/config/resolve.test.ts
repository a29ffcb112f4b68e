import { expect, test } from 'vitest'
import { definePlugin } from '../../../kernel/plugin.js'
import { defineKeys, key } from '../../../kernel/config/keys.js'
import { address, choice, duration, flag, integer, list, map, text } from '../../../kernel/config/kinds.js'
import { layerSite } from '../../../kernel/config/layers.js'
import { resolveSettings } from '../../../kernel/config/resolve.js'
import { createSite } from '../../../kernel/define-site.js'

const loomKeys = defineKeys({
  'loom.threads': key(integer({ min: 1, max: 64 }), 4, 'threads of the loom'),
  'loom.pause': key(duration(), '1m30s', 'pause between rows'),
  'loom.colours': key(list(), [], 'colours'),
  'loom.running': key(flag(), false, 'whether it runs'),
  'loom.patterns': key(map(), {}, 'patterns by name'),
  'loom.weave': key(choice(['plain', 'twill']), 'plain', 'kind of weave'),
  'loom.address': key(address(), 'localhost:1', 'where it stands'),
  'loom.secret': key(text().optional(), undefined, 'a secret'),
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
const problemsOf = (values: Readonly<Record<string, unknown>>, env: NodeJS.ProcessEnv = {}, set: string[] = []): string => {
  try {
    resolveSettings(layered(values, env, set))
  } catch (error) {
    return String(error)
  }
  return ''
}

test('values come out converted: of defaults, files and text alike', () => {
  const resolved = resolveSettings(
    layered({ 'loom.threads': 8, 'loom.patterns': { twill: true } }, { CORE_LOOM_RUNNING: 'T', CORE_LOOM_COLOURS: 'red, blue' }, ['loom.weave=TWILL']),
  )
  expect(resolved.settings(loomKeys)).toEqual({
    'loom.threads': 8,
    'loom.pause': 90_000,
    'loom.colours': ['red', 'blue'],
    'loom.running': true,
    'loom.patterns': { twill: 'true' },
    'loom.weave': 'twill',
    'loom.address': 'localhost:1',
    'loom.secret': undefined,
  })
})

test('every value knows its layer and origin', () => {
  const site = layered({ 'loom.threads': 8, 'loom.weave': 'plain' }, { CORE_LOOM_WEAVE: 'twill' }, ['loom.running=1']).with('loom.pause', '1s', 'mill')
  const origins = Object.fromEntries(
    resolveSettings(site)
      .entries()
      .map(({ key: name, layer, origin }) => [name, `${layer} ${origin}`]),
  )
  expect(origins).toMatchObject({
    'peer.id': 'default kernel',
    'loom.colours': 'default loom',
    'loom.threads': 'file /site/peer.config.ts',
    'loom.weave': 'environment CORE_LOOM_WEAVE',
    'loom.running': 'command line --set loom.running',
    'loom.pause': 'plugin mill',
  })
})

test('all errors are reported at once, each with key, place, expectation and finding', () => {
  const message = problemsOf(
    {
      'loom.threads': 65,
      'loom.pause': '5 minutes',
      'loom.colours': ['red', 7],
      'loom.patterns': 'twill',
      'loom.secret': { hush: 1 },
      'loom.tread': 1,
      'peer.listenAdress': ':1',
    },
    { CORE_LOOM_RUNNING: 'perhaps' },
    ['loom.weave=satin', 'loom.address=here', 'loom.threds=1'],
  )
  expect(message.split('\n').slice(1)).toEqual([
    '  loom.threads (file /site/peer.config.ts): expected at most 64, found 65',
    '  loom.pause (file /site/peer.config.ts): expected a duration with a unit, such as 5s or 1m30s, found "5 minutes"',
    '  loom.colours (file /site/peer.config.ts): at [1] expected string, found ["red",7]',
    '  loom.running (environment CORE_LOOM_RUNNING): expected true or false, found "perhaps"',
    '  loom.patterns (file /site/peer.config.ts): expected map, found "twill"',
    '  loom.weave (command line --set loom.weave): expected one of plain, twill, found "satin"',
    '  loom.address (command line --set loom.address): expected host:port, found "here"',
    '  loom.secret (file /site/peer.config.ts): expected string or number, found (hidden)',
    '  loom.tread (file /site/peer.config.ts): unknown key, did you mean loom.threads?',
    '  peer.listenAdress (file /site/peer.config.ts): unknown key, did you mean peer.listenAddress?',
    '  loom.threds (command line --set loom.threds): unknown key, did you mean loom.threads?',
  ])
  expect(message).toContain('11 errors in the configuration of /site/peer.config.ts')
})

test('a key that resembles none is unknown without a suggestion', () => {
  expect(problemsOf({ 'zzzzzzzzzzzzzzz.q': 1 })).toContain('zzzzzzzzzzzzzzz.q (file /site/peer.config.ts): unknown key\n'.trim())
  expect(problemsOf({ 'zzzzzzzzzzzzzzz.q': 1 })).not.toContain('did you mean')
})

test('two plugins may share a key only by sharing its spec', () => {
  const twin = definePlugin({ name: 'twin', config: loomKeys, apply: () => undefined })
  const rival = definePlugin({ name: 'rival', config: defineKeys({ 'loom.threads': key(integer(), 5, 'other threads') }), apply: () => undefined })
  expect(resolveSettings(createSite({ plugins: [loom, twin] })).settings(loomKeys)['loom.threads']).toBe(4)
  expect(() => resolveSettings(createSite({ plugins: [loom, rival] }))).toThrow('key loom.threads is declared by loom and, differently, by rival')
})

test('keys that no plugin of the site declares cannot be read', () => {
  expect(() => resolveSettings(createSite({ plugins: [] })).settings(loomKeys)).toThrow('key loom.threads is read but no plugin of the site declares it')
})
