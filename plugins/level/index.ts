/** The peer's one store, on LevelDB. See README.md. */
export type { Backend } from './backend.js'
export { storeKeys } from './keys.js'
export { type StoreOptions, SYNC_POLICIES, type SyncPolicy, createStore } from './level-store.js'
export { type LevelStoreOptions, openLevelStore, storeDirectory } from './open.js'
export { level as default } from './plugin.js'
export type { KeyRange, Namespace, Store, StoreBatch, StoreSnapshot, WriteKind } from './store.js'
export { STORE } from './token.js'
