import type { MemberIndex } from '../../plugins/consensus/index.js'
import type { ShelfFault } from './engine-shelf.js'
import type { DiskFault } from './sim-disk.js'

interface During {
  /** Virtual milliseconds after the load began. */
  readonly atMs: number
  readonly forMs: number
}

/** One fault of a scenario, as data: plain JSON. It ends by itself after `forMs`, or with the scenario's load. */
export type Fault = During &
  (
    | { readonly kind: 'kill' | 'stop'; readonly member: MemberIndex }
    /** With `afterWrites` not at that moment, but when so many writes more have become durable and nobody has been told of the last. */
    | { readonly kind: 'power'; readonly member: MemberIndex; readonly afterWrites?: number }
    /** Its power goes, and it never comes back. */
    | { readonly kind: 'dead'; readonly member: MemberIndex }
    | { readonly kind: 'blackout' }
    | { readonly kind: 'break'; readonly members: readonly [MemberIndex, MemberIndex] }
    | { readonly kind: 'partition'; readonly groups: readonly (readonly MemberIndex[])[] }
    | { readonly kind: 'delay'; readonly from: MemberIndex; readonly to: MemberIndex; readonly extraMs: number }
    | { readonly kind: 'slow-disk' | 'slow-execution'; readonly member: MemberIndex; readonly extraMs: number }
    /** After so many writes more one fails; the peer has to end and say why. It starts again with a disk that can write. `EIO`: nobody knows whether it was written. */
    | { readonly kind: 'failing-disk'; readonly member: MemberIndex; readonly error: DiskFault; readonly afterWrites: number }
    /** Its wall clock jumps, and back again. */
    | { readonly kind: 'clock'; readonly member: MemberIndex; readonly jumpMs: number }
    | { readonly kind: 'loss' | 'duplicate' | 'reorder'; readonly chance: number }
    /** Runs twice; the members of `second` reach the second instance while it lasts, the others the first. */
    | { readonly kind: 'twins'; readonly member: MemberIndex; readonly second: readonly MemberIndex[] }
    /** What it sends is changed, repeated, held back, lost or sent to others; it knows nothing of the engine. */
    | { readonly kind: 'mutate'; readonly member: MemberIndex; readonly chance: number }
    /** Its power goes, and its disk is lost: it comes back with nothing. */
    | { readonly kind: 'wipe'; readonly member: MemberIndex }
    /** It lies to its own engine: requests that clients made long ago, also those that were executed, come as new ones. */
    | { readonly kind: 'replay'; readonly member: MemberIndex; readonly requests: number }
    /** Its engine is gone, as when its process dies, and another instance goes on from its records; its links stay up. */
    | { readonly kind: 'restart-engine'; readonly member: MemberIndex }
    /** Its operator swaps to an engine, or changes options alone. `isForced`: whatever the validators said in the pre-flight. */
    | {
        readonly kind: 'swap'
        readonly member: MemberIndex
        readonly engine?: string
        readonly version?: string
        readonly options?: Readonly<Record<string, unknown>>
        readonly deadlineMs?: number
        readonly deadlineBlocks?: number
        readonly isForced?: boolean
      }
    /** Its operator cancels the swap that is under way, or one that may be decided since; or asks for the last one in the very same words. */
    | { readonly kind: 'cancel' | 'repropose'; readonly member: MemberIndex }
    /** It has not got an engine, or one of that name with other files. */
    | { readonly kind: 'lacks'; readonly member: MemberIndex; readonly engine: string; readonly how: ShelfFault }
  )

/** What can go wrong. */
export type FaultKind = Fault['kind']

/**
 * Whose promise a kind of fault tests: `inside` the contract of `EngineHost`; `byzantine` members; `outside`: links that break the contract's promises;
 * `swaps`: the succession of engines, in scenarios with more than one.
 */
export type FaultClass = 'inside' | 'byzantine' | 'outside' | 'swaps'

/** Which kind of fault is inside the contract of engines, which a liar's, which outside. */
export const FAULT_CLASSES: Readonly<Record<FaultKind, FaultClass>> = {
  kill: 'inside',
  power: 'inside',
  stop: 'inside',
  dead: 'inside',
  blackout: 'inside',
  break: 'inside',
  partition: 'inside',
  delay: 'inside',
  'slow-disk': 'inside',
  'slow-execution': 'inside',
  clock: 'inside',
  'failing-disk': 'inside',
  twins: 'byzantine',
  mutate: 'byzantine',
  loss: 'outside',
  duplicate: 'outside',
  reorder: 'outside',
  swap: 'swaps',
  cancel: 'swaps',
  repropose: 'swaps',
  lacks: 'swaps',
  wipe: 'swaps',
  replay: 'swaps',
  'restart-engine': 'swaps',
}

/** All kinds of some classes, in a fixed order. */
export function faultKinds(...classes: readonly FaultClass[]): FaultKind[] {
  return [...ALL_KINDS, ...SWAP_KINDS].filter((kind) => classes.includes(FAULT_CLASSES[kind]))
}

/** Kinds of faults of the succession of engines. */
export const SWAP_KINDS: readonly FaultKind[] = ['swap', 'cancel', 'repropose', 'lacks', 'wipe', 'replay', 'restart-engine']

/** Every kind of fault of one engine. */
export const ALL_KINDS: readonly FaultKind[] = [
  'kill',
  'power',
  'stop',
  'dead',
  'blackout',
  'break',
  'partition',
  'delay',
  'slow-disk',
  'slow-execution',
  'clock',
  'failing-disk',
  'twins',
  'mutate',
  'loss',
  'duplicate',
  'reorder',
]

/** Members that a fault makes Byzantine. */
export function byzantineOf(faults: readonly Fault[]): MemberIndex[] {
  return [...new Set(faults.flatMap((fault) => (LIARS.has(fault.kind) && 'member' in fault ? [fault.member] : [])))].sort((a, b) => a - b)
}

/** Whoever has forgotten its votes counts as one who lies. */
const LIARS = new Set<FaultKind>(['twins', 'mutate', 'wipe', 'replay'])

/** Members that lose their disk, and are honest otherwise. */
export function wipedOf(faults: readonly Fault[]): MemberIndex[] {
  const liars = byzantineOf(faults.filter(({ kind }) => kind !== 'wipe'))
  return byzantineOf(faults).filter((member) => !liars.includes(member))
}

/** Members that do not come back. */
export function deadOf(faults: readonly Fault[]): MemberIndex[] {
  return [...new Set(faults.flatMap((fault) => (fault.kind === 'dead' ? [fault.member] : [])))].sort((a, b) => a - b)
}

/** Members that a fault touches; empty: all of them. */
export function membersOf(fault: Fault): readonly MemberIndex[] {
  if ('member' in fault) return [fault.member]
  if (fault.kind === 'break') return fault.members
  return fault.kind === 'delay' ? [fault.from, fault.to] : []
}

/** A fault in a few words. */
export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case 'kill':
    case 'power':
    case 'stop':
    case 'dead':
      return `vp${fault.member} ${{ kill: 'is killed', power: 'loses power', stop: 'is stopped', dead: 'dies for good' }[fault.kind]}`
    case 'blackout':
      return 'all lose power'
    case 'break':
      return `the link vp${fault.members[0]}-vp${fault.members[1]} breaks`
    case 'partition':
      return `partition ${fault.groups.map((group) => group.map((member) => `vp${member}`).join(',')).join(' | ')}`
    case 'delay':
      return `messages vp${fault.from} to vp${fault.to} take ${Math.round(fault.extraMs)} ms longer`
    case 'slow-disk':
    case 'slow-execution':
      return `the ${fault.kind === 'slow-disk' ? 'disk' : 'chaincode'} of vp${fault.member} takes ${Math.round(fault.extraMs)} ms longer`
    case 'failing-disk':
      return `the disk of vp${fault.member} fails (${fault.error})`
    case 'clock':
      return `the clock of vp${fault.member} jumps by ${Math.round(fault.jumpMs)} ms`
    case 'loss':
    case 'duplicate':
    case 'reorder':
      return `${Math.round(fault.chance * 100)} % of all messages are ${{ loss: 'lost', duplicate: 'doubled', reorder: 'overtaken' }[fault.kind]}`
    case 'twins':
      return `vp${fault.member} runs twice; ${fault.second.map((member) => `vp${member}`).join(', ')} see the second`
    case 'wipe':
      return `vp${fault.member} loses its disk`
    case 'restart-engine':
      return `the engine of vp${fault.member} is begun anew`
    case 'replay':
      return `vp${fault.member} offers ${fault.requests} old requests as new ones`
    case 'swap':
      return `vp${fault.member} asks for a swap to ${fault.engine ?? 'other options'}`
    case 'cancel':
      return `vp${fault.member} cancels the swap`
    case 'repropose':
      return `vp${fault.member} asks for the last swap once more`
    case 'lacks':
      return `vp${fault.member} ${fault.how === 'missing' ? 'has not got' : 'has other code for'} ${fault.engine}`
    case 'mutate':
      break
  }
  return `vp${fault.member} sends nonsense, ${Math.round(fault.chance * 100)} % of its messages`
}
