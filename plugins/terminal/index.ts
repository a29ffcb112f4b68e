/**
 * What commands share.
 *
 * @packageDocumentation
 */
export { Interruption, interruptible } from './interruption.js'
export { packageFolder } from './package-folder.js'
export { wholeNumber, writtenJson, writtenSet, wrong } from './written.js'
