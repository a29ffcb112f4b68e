/**
 * What commands share.
 *
 * @packageDocumentation
 */
export { Interruption, interruptible } from './interruption.js'
export { isRecord } from './is-record.js'
export { type KeyTree, keyTree } from './key-tree.js'
export { packageFolder } from './package-folder.js'
export { escaped, printable } from './printable.js'
export { table } from './table.js'
export { wholeNumber, writtenJson, writtenSet, wrong } from './written.js'
