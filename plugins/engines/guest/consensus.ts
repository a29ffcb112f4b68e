/**
 * What `weft/consensus` means inside an engine's process: the same as elsewhere.
 *
 * @packageDocumentation
 */
export * from '../../consensus/api/index.js'
