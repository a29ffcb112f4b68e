import { describe, expect, test } from 'vitest'
import { createToken, definePlugin, type Plugin, type Token } from '../../kernel/index.js'
import { orderPlugins } from '../../kernel/order.js'
import { testPeer } from './sites.js'

const STORE = createToken<{ readonly name: string }>('store', 'weft/plugins/level')
const LEDGER = createToken<{ readonly height: number }>('ledger', 'weft/plugins/ledger')

function plugin(name: string, links: { provides?: Token<unknown>[]; requires?: Token<unknown>[]; uses?: Token<unknown>[] } = {}): Plugin {
  return definePlugin({ name, ...links, apply: () => undefined })
}

/** Provides STORE under a name of its own. */
function store(name: string, value: string, failing = false): Plugin {
  return definePlugin({
    name,
    provides: [STORE],
    apply(host) {
      host.hooks.db.tap(async () => {
        if (failing) throw new Error('broken build')
        host.provide(STORE, { name: value })
      })
    },
  })
}

/** Reads STORE when asked. */
function reader(): { readonly plugin: Plugin; readonly read: () => string } {
  let read = (): string => 'not started'
  const made = definePlugin({
    name: 'reader',
    requires: [STORE],
    apply(host) {
      host.hooks.start.tap(async () => {
        read = () => host.use(STORE).name
      })
    },
  })
  return { plugin: made, read: () => read() }
}

describe('the order of plugins', () => {
  const names = (plugins: readonly Plugin[]) => orderPlugins(plugins).map(({ name }) => name)

  test('puts providers before those that require or use them', () => {
    expect(
      names([plugin('ledger', { requires: [STORE], provides: [LEDGER] }), plugin('rest', { uses: [LEDGER] }), plugin('level', { provides: [STORE] })]),
    ).toEqual(['level', 'ledger', 'rest'])
  })

  test('keeps the listed order otherwise', () => {
    expect(names([plugin('c'), plugin('a'), plugin('b', { uses: [STORE] })])).toEqual(['c', 'a', 'b'])
  })

  test('prints a cycle', () => {
    const cycle = [plugin('x'), plugin('a', { provides: [STORE], requires: [LEDGER] }), plugin('b', { provides: [LEDGER], requires: [STORE] })]
    expect(() => orderPlugins(cycle)).toThrow('plugins need each other in a circle: a -> b -> a')
  })

  test('a missing service names plugin, token and what to add', () => {
    expect(() => orderPlugins([plugin('ledger', { requires: [STORE] })])).toThrow(
      expect.objectContaining({
        code: 'ERR_SERVICE_MISSING',
        message: 'plugin ledger requires store, which no plugin provides',
        hint: 'add weft/plugins/level to plugins',
      }),
    )
  })

  test('a service provided twice names both plugins', () => {
    expect(() => orderPlugins([plugin('level', { provides: [STORE] }), plugin('memory', { provides: [STORE] })])).toThrow(
      'plugins level and memory both provide store',
    )
  })

  test('two plugins of one name are refused', () => {
    expect(() => orderPlugins([plugin('a'), plugin('a')])).toThrow('two plugins are named a')
  })
})

describe('services', () => {
  test('reach those that require them', async () => {
    const { plugin: reading, read } = reader()
    const { peer } = testPeer([reading, store('level', 'leveldb')])
    await peer.start()
    expect(read()).toBe('leveldb')
    await peer.stop()
  })

  test('a plugin that does not provide what it lists fails the start', async () => {
    await expect(testPeer([plugin('level', { provides: [STORE] })]).peer.start()).rejects.toMatchObject({ code: 'ERR_SERVICE_NOT_PROVIDED' })
  })

  test('providing or taking an unlisted token is refused', async () => {
    const giver = definePlugin({ name: 'g', apply: (host) => host.provide(STORE, { name: 'x' }) })
    const taker = definePlugin({ name: 't', apply: (host) => void host.find(STORE) })
    await expect(testPeer([giver]).peer.start()).rejects.toThrow('plugin g provides store without listing it')
    await expect(testPeer([taker]).peer.start()).rejects.toThrow('plugin t takes store without listing it')
  })

  test('a service that is only used may be absent', async () => {
    let found: unknown = 'unset'
    const { peer } = testPeer([definePlugin({ name: 'u', uses: [STORE], apply: (host) => host.hooks.start.tap(async () => void (found = host.find(STORE))) })])
    await peer.start()
    expect(found).toBeUndefined()
    await peer.stop()
  })
})

describe('a running peer', () => {
  test('replaces a plugin while the others stay', async () => {
    const { plugin: reading, read } = reader()
    const { peer } = testPeer([store('level', 'old'), reading])
    await peer.start()
    await peer.replace('level', store('level', 'new'))
    expect(read()).toBe('new')
    expect(peer.plugins).toEqual(['level', 'reader'])
    await peer.stop()
  })

  test('puts the old plugin back if the new one does not start', async () => {
    const { plugin: reading, read } = reader()
    const { peer } = testPeer([store('level', 'old'), reading])
    await peer.start()
    await expect(peer.replace('level', store('memory', 'new', true))).rejects.toThrow('plugin memory failed in hook db: broken build')
    expect(read()).toBe('old')
    expect(peer.plugins).toEqual(['level', 'reader'])
    await peer.stop()
  })

  test('refuses to remove or replace a plugin that another one requires', async () => {
    const { peer } = testPeer([store('level', 'old'), reader().plugin])
    await peer.start()
    await expect(peer.remove('level')).rejects.toThrow('plugin level cannot go: reader requires its store')
    await expect(peer.replace('level', plugin('empty'))).rejects.toMatchObject({ code: 'ERR_PLUGIN_REQUIRED' })
    await peer.stop()
  })

  test('adds and removes plugins with all their hooks', async () => {
    const entries: string[] = []
    const { peer } = testPeer([])
    await peer.start()
    const late = definePlugin({
      name: 'late',
      apply(host) {
        host.hooks.db.tap(async () => void entries.push('db'))
        host.hooks.start.tap(async () => void entries.push('start'))
        host.hooks.stop.tap(async () => void entries.push('stop'))
        host.onDispose(() => void entries.push('dispose'))
      },
    })
    await peer.add(late)
    await peer.remove('late')
    await peer.add(late)
    await peer.stop()
    expect(entries).toEqual(['db', 'start', 'stop', 'dispose', 'db', 'start', 'stop', 'dispose'])
    await expect(peer.add(late)).rejects.toMatchObject({ code: 'ERR_PEER_STATE' })
  })
})
