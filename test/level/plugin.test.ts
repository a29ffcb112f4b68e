import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Peer, type Plugin, createSite, definePlugin } from '../../kernel/index.js'
import { createLogging } from '../../plugins/logging/index.js'
import level, { STORE, type Store, openLevelStore } from '../../plugins/level/index.js'
import { get, put, temporaryDirectory } from './backends.js'

describe('the plugin level', () => {
  let directory: string
  beforeEach(() => {
    directory = temporaryDirectory()
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  function peerWith(user: Plugin, values: Readonly<Record<string, unknown>> = {}): Peer {
    const all = { 'peer.listenAddress': '127.0.0.1:0', 'peer.fileSystemPath': directory, ...values }
    const site = Object.entries(all).reduce((sofar, [key, value]) => sofar.with(key, value, 'test'), createSite({ plugins: [user, level] }))
    return new Peer(site, { logging: createLogging({ spec: 'debug', stream: { write: () => undefined } }) })
  }

  it('opens the store in db under the peer directory before its users, and closes it after them', async () => {
    let store: Store | undefined
    const user = definePlugin({
      name: 'user',
      requires: [STORE],
      apply(peer) {
        peer.hooks.db.tap(async () => {
          store = peer.use(STORE)
          await put(store, 'user', { started: 'yes' })
        })
        peer.hooks.stop.tap(() => put(peer.use(STORE), 'user', { stopped: 'yes' }))
      },
    })
    const peer = peerWith(user)
    await peer.start()
    expect(existsSync(join(directory, 'db', 'CURRENT'))).toBe(true)
    await peer.stop()
    const again = await openLevelStore(join(directory, 'db'))
    expect([get(again, 'user', 'started'), get(again, 'user', 'stopped')]).toEqual(['yes', 'yes'])
    await again.close()
  })

  it('fails the start with the reason when the store is in use', async () => {
    const other = await openLevelStore(join(directory, 'db'))
    const user = definePlugin({ name: 'user', requires: [STORE], apply: () => undefined })
    await expect(peerWith(user).start()).rejects.toThrow(/plugin level failed in hook db: the store in .* is in use by another process/)
    await other.close()
  })

  it('refuses a policy that does not exist', async () => {
    const user = definePlugin({ name: 'user', requires: [STORE], apply: () => undefined })
    await expect(peerWith(user, { 'store.sync': 'sometimes' }).start()).rejects.toThrow(/store\.sync/)
  })
})
