/**
 * The data directory belongs to one process.
 *
 * @packageDocumentation
 */
export { type DirectoryLock, holderOf, lockDirectory } from './lock.js'
export { default } from './plugin.js'
export { DIRECTORY } from './token.js'
