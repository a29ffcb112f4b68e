/**
 * Finds and reads sites, and runs TypeScript files.
 *
 * @packageDocumentation
 */
export { hasYoungRoom, NODE_FLAGS } from './node-flags.js'
export { ownPackage } from './own-package.js'
export { default } from './plugin.js'
export { rememberBundle, sourcePlace, type SourcePlace } from './source-maps.js'
export { sourceName, type StackFrame, thrownText } from './thrown.js'
export { type ModuleExports, loadTypeScript } from './typescript.js'
