import { mkdir } from 'node:fs/promises'
import { definePlugin } from '../../kernel/index.js'
import manifest from '../../package.json' with { type: 'json' }
import { DIRECTORY } from '../directory/index.js'
import { StoreCounters } from './counters.js'
import { StoreCheck } from './doctor.js'
import { storeKeys } from './keys.js'
import { openLevelStore, storeDirectory } from './open.js'
import { STORE, STORE_COUNTERS } from './token.js'
import type { Store } from './store.js'

/** The peer's one store, on LevelDB, in `<peer.fileSystemPath>/db`. See README.md. */
export const level = definePlugin({
  name: 'level',
  description: "the peer's store on LevelDB: one atomic, synced write per block",
  config: storeKeys,
  provides: [STORE, STORE_COUNTERS],
  commands: [StoreCheck],
  uses: [DIRECTORY],
  apply(peer) {
    let store: Store | undefined
    peer.hooks.db.tap(async ({ directory }) => {
      const settings = peer.settings(storeKeys)
      if (peer.find(DIRECTORY) === undefined) {
        peer.log.warning(`nothing takes ${directory} for this process: no peer.lock, and no peer.pid for node stop; add weft/plugins/directory to plugins`)
      }
      await mkdir(directory, { recursive: true, mode: 0o755 })
      const counters = new StoreCounters(() => peer.clock.elapsedMs())
      store = await openLevelStore(storeDirectory(directory), {
        sync: settings['store.sync'],
        cacheBytes: settings['store.cacheBytes'],
        writeBufferBytes: staggered(settings['store.writeBufferBytes']),
        writtenBy: `${manifest.name} ${manifest.version}`,
        counters,
        onFailed: (reason) => peer.fail(reason),
      })
      peer.provide(STORE, store)
      peer.provide(STORE_COUNTERS, counters)
    })
    // Plugins stop in reverse order: whatever uses the store has stopped before.
    peer.hooks.stop.tap(async () => {
      await store?.close()
      store = undefined
    })
  },
})

/** How much of the write buffer may be left unused. */
const SPREAD = 0.3

/** A little less than configured, at random: validators write the same, and would all write their tables, and be slow, at the same moment. */
function staggered(bytes: number): number {
  return Math.round(bytes * (1 - SPREAD * Math.random()))
}
