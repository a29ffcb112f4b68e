/** `peer engine new`, `check` and `dev`: for authors of consensus engines. See README.md. */
export { type EngineCode, findEngineCode, type LoadedEngine, loadEngine } from './engine-package.js'
export { default } from './plugin.js'
