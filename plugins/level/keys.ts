import { choice, defineKeys, integer, key } from '../../kernel/index.js'
import { SYNC_POLICIES } from './level-store.js'

/** Configuration of the store. The `peer.db.*` keys of v0.6 tune RocksDB and have no meaning here. */
export const storeKeys = defineKeys({
  'store.sync': key(
    choice(SYNC_POLICIES),
    'all',
    'writes that wait for the disk: all (blocks and votes survive a power cut), blocks, or off (tests: nothing does)',
  ),
  'store.cacheBytes': key(integer({ min: 0, max: 2 ** 40 }), 32 * 2 ** 20, 'memory for table blocks that were read lately, in bytes'),
  'store.writeBufferBytes': key(
    integer({ min: 2 ** 16, max: 2 ** 30 }),
    32 * 2 ** 20,
    'changes gathered in memory before a table is written, in bytes (at random up to 30 % less, so that validators take turns); up to twice as much is held',
  ),
})
