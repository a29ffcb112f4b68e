/** v0.6's PBFT. See README.md. */
export { pbft } from './engine.js'
export { parsePbftOptions, type PbftOptions, pbftKeys } from './options.js'
export { pbftPlugin as default } from './plugin.js'
