/**
 * What commands share.
 *
 * @packageDocumentation
 */
export { Interruption } from './interruption.js'
export { packageFolder } from './package-folder.js'
export { escaped, printable } from './printable.js'
export { wholeNumber, writtenJson, writtenSet, wrong } from './written.js'
