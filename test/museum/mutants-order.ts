import type { FaultKind } from '../kit/index.js'
import type { Mutant } from './mutant.js'

/** Nothing happens but swaps and load. */
const NOTHING: readonly FaultKind[] = []
/** The engines of the guide follow one another, under steady load. */
const crossing = { specimen: 'swap of liars', swaps: 3, requests: 40, faults: NOTHING, kind: 'safety' } as const
const alone = { requests: 40, faults: NOTHING, kind: 'safety' } as const
const WAITING = "    for (const request of this.openRequests(live)) if (!this.isCall(request)) live.session.post({ type: 'request', request })"

/** Broken copies of host and engines that lose nothing and double nothing: only the order at a door is wrong. */
export const ORDER_MUTANTS: readonly Mutant[] = [
  {
    name: 'order: what waits for an epoch comes to its engine in reverse',
    ...crossing,
    file: 'plugins/consensus/epochs/epochs.ts',
    find: WAITING,
    replace: WAITING.replace('this.openRequests(live))', '[...this.openRequests(live)].reverse())'),
    why: 'the host gives the new engine the newest request first',
  },
  {
    name: 'order: what waits at the seal is put behind what arrives later',
    ...crossing,
    file: 'plugins/consensus/epochs/epochs.ts',
    find: WAITING,
    replace: `    this.options.surroundings.clock.setTimer(30, () => {
      if (this.live !== live) return
  ${WAITING}
    })`,
    why: 'requests that come when the epoch has started overtake those that waited for it',
  },
  {
    name: 'order: what comes before an epoch has started does not wait',
    ...crossing,
    file: 'plugins/consensus/epochs/epochs.ts',
    find: '    if (live && (live.isOpen || this.isCall(request)))',
    replace: '    if (live && (live.isOpen || this.isCall(request) || this.swap === undefined))',
    why: 'a request that comes in a crossing is given to the new engine at once, past those that wait for the start',
  },
  {
    name: 'order: requests that were journaled together are given in reverse',
    ...alone,
    specimen: 'engine',
    file: 'plugins/consensus/pool/pool.ts',
    find: '    for (const pooled of gathering.requests) {\n      // It may',
    replace: '    for (const pooled of [...gathering.requests].reverse()) {\n      // It may',
    why: 'one write makes several requests durable, and the last of them comes to the engine first',
  },
  {
    name: 'order: pbft proposes a batch from its end',
    ...alone,
    specimen: 'engine',
    file: 'plugins/pbft/requests.ts',
    find: '  const live = requests.filter((waiting) => r.book.get(waiting.id) === waiting)',
    replace: '  const live = requests.filter((waiting) => r.book.get(waiting.id) === waiting).reverse()',
    why: 'requests of one batch are in the block the other way round',
  },
  {
    name: 'order: hotstuff fills blocks from the end of its queue',
    ...alone,
    specimen: 'example hotstuff',
    file: 'examples/engines/hotstuff/src/requests.ts',
    find: 'return { requests: this.book.first(batchSize, MAX_BLOCK_BYTES).map(({ id, bytes }) => ({ id, bytes })) }',
    replace: 'return { requests: [...this.book.unqueued()].slice(-2).map(({ content: { id, bytes } }) => ({ id, bytes })) }',
    why: 'the youngest requests go first',
  },
]
