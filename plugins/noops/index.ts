/** The development engine of v0.6. See README.md. */
export { noops } from './engine.js'
export { type NoopsOptions, noopsKeys, parseNoopsOptions } from './options.js'
export { noopsPlugin as default } from './plugin.js'
