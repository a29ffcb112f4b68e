/**
 * A network of real peers on this machine.
 *
 * @packageDocumentation
 */
export { Devnet, type DevnetPeer, type StartedPeer } from './devnet.js'
export { createDevnet, devnetDirectory, findDevnet, removeDevnet } from './layout.js'
export { default } from './plugin.js'
export type { DevnetPlan, PeerPlan } from './plan.js'
export { type PeerView, type RunningView } from './view.js'
