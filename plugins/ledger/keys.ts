import { defineKeys, flag, integer, key, text } from '../../kernel/index.js'

/** Shared with every plugin that acts differently on validating peers. */
export const validatorKeys = defineKeys({
  'peer.validator.enabled': key(flag(), true, 'whether this peer validates: executes ordered transactions and commits blocks'),
})

const STRUCTURES: readonly string[] = ['', 'buckettree', 'trie', 'raw']

// v0.6 reads `configs` as a map, which no variable reaches: a forgotten variable of an old environment must not change every state hash (spec/node.md §2.2).
const IN_FILES_ONLY = { fromEnvironment: false }

/** Keys of the world state and its history (spec/ledger.md §14). */
export const ledgerKeys = defineKeys({
  'ledger.state.dataStructure.name': key(
    text().refine((name) => STRUCTURES.includes(name), 'expected buckettree, trie or raw'),
    'buckettree',
    'structure of the world state: buckettree, trie or raw (which has no state hash, so that nothing notices a difference); the same on every validator, fixed once the store exists; empty means a buckettree with 10009 buckets and grouping 10, whatever the configs say',
  ),
  'ledger.state.dataStructure.configs.numBuckets': key(
    integer({ min: 2, max: 0xffffffff }),
    1_000_003,
    'buckets of the world state; the same on every validator, fixed once the store exists',
    IN_FILES_ONLY,
  ),
  'ledger.state.dataStructure.configs.maxGroupingAtEachLevel': key(
    integer({ min: 2, max: 0xffff }),
    5,
    'children of a node of the bucket tree; the same on every validator, fixed once the store exists',
    IN_FILES_ONLY,
  ),
  'ledger.state.dataStructure.configs.bucketCacheSize': key(
    integer(),
    100,
    'bound of the cache of buckets and tree nodes, in MiB; 0 or less disables it',
    IN_FILES_ONLY,
  ),
  'ledger.state.deltaHistorySize': key(integer({ min: 0 }), 500, 'state deltas kept for other peers, in blocks; 0 keeps none'),
  'ledger.tools.allowRemote': key(
    flag(),
    false,
    'whether other machines may read state, export and verify through the peer listener, which authenticates nobody',
  ),
})
