export { createNodeLauncher, type NodeLauncherOptions } from './launcher.js'
export type { SandboxKind } from '../../sandbox/index.js'
