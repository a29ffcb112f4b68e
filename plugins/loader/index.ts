/**
 * Finds and reads sites, and runs TypeScript files.
 *
 * @packageDocumentation
 */
export { hasYoungRoom, NODE_FLAGS } from './node-flags.js'
export { ownPackage } from './own-package.js'
export { default } from './plugin.js'
export { type ModuleExports, loadTypeScript } from './typescript.js'
