/** Raft as a consensus engine of Weft. See README.md. */
import { defineEngine } from 'weft/consensus'
import { raft } from './engine.js'

export { raft } from './engine.js'
export type { RaftOptions } from './options.js'
/** The plugin that a site lists. */
export default defineEngine(raft)
