/**
 * Finds and reads sites, and runs TypeScript files.
 *
 * @packageDocumentation
 */
export { ownPackage } from './own-package.js'
export { default } from './plugin.js'
export { type ModuleExports, loadTypeScript } from './typescript.js'
