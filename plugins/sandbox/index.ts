/**
 * Processes that hold code which nobody here vouches for. Not a plugin: what other plugins contain their guests with.
 *
 * @packageDocumentation
 */
export { buildModule, bundleGuest } from './build-module.js'
export { chooseSandbox } from './choose.js'
export { type Command, type SandboxKind, type SandboxLimits, type SandboxView, sandboxCommand } from './command.js'
export { type ContainedProcess, spawnContained } from './contained-process.js'
export { FrameReader, joinFrames, keepable, writeFrames } from './frames.js'
export { nodeFlags } from './node-flags.js'
export { onceItWorks } from './once-it-works.js'
export { ownSource } from './own-source.js'
export { findTool } from './tools.js'
