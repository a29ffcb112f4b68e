/**
 * Engines from packages, each in a process of its own unless the site trusts it. See README.md.
 *
 * @packageDocumentation
 */
export { exportsTarget, moduleTarget, pathsOf } from './packages/module-target.js'
export { judgeVersions, judgeWeftRange } from './packages/weft-range.js'
export { enginesKeys } from './keys.js'
export { default } from './plugin.js'
export { type EngineShelf, engineShelf } from './shelf.js'
