/**
 * The test kit: simulate validators in virtual time, with crashes, power cuts and broken links, and check what must always hold.
 *
 * @packageDocumentation
 */
export { ContractViolation, type FailureKind, LivenessViolation, SafetyViolation, SimulationFailure } from './failures.js'
export { Invariants } from './invariants.js'
export { createKeyedHashSigner } from './keyed-hash-signer.js'
export { type Attachment, type Disturbance, type Envelope, type Forwarded, type Interceptor, type LinkOptions, Links } from './links.js'
export type { Endpoint } from './link-table.js'
export { createLevelDisk } from './level-disk.js'
export { type LogicalLedger, openLogicalLedger } from './logical-ledger.js'
export { type CrashKind, createMemoryDisk, type MemoryDiskOptions, type SimulatedDisk } from './memory-disk.js'
export { createRandom, type Random } from './random.js'
export { type LedgerOpener, SimulatedPeer } from './simulated-peer.js'
export { Simulation, type SimulationOptions } from './simulation.js'
export { type Trace, type Traced, type TraceEvent } from './trace.js'
export { createExecutor, type Executor, makeTransaction } from './transactions.js'
export { createVirtualClock, VirtualTime } from './virtual-clock.js'
