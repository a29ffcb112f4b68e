import type { Mutant } from './mutant.js'

const specimen = 'example hotstuff'
const inFile = (name: string): string => `examples/engines/hotstuff/src/${name}.ts`

/** Broken copies of the HotStuff engine of examples/engines. */
export const EXAMPLE_HOTSTUFF_MUTANTS: readonly Mutant[] = [
  {
    name: 'example hotstuff: certificates of 2f votes',
    fidelity: 'host',
    specimen,
    file: inFile('block'),
    find: 'quorum: Math.ceil((members + faulty + 1) / 2)',
    replace: 'quorum: Math.max(1, 2 * faulty)',
    why: 'a wrong quorum: two of them need not have an honest member in common',
  },
  {
    name: 'example hotstuff: votes at any rank',
    specimen,
    file: inFile('safety'),
    find: 'return compare(block, this.voted) > 0',
    replace: 'return block.id !== this.voted.id',
    why: 'voting twice in a rank: a leader that runs twice gets both of its proposals certified',
    faults: ['twins', 'partition', 'delay', 'slow-disk'],
    kind: 'safety',
  },
  {
    name: 'example hotstuff: votes are not stored',
    specimen,
    file: inFile('safety'),
    find: "this.host.put('state', State.encode(this))",
    replace: 'State.encode(this)',
    why: 'forgotten persistence: after a restart a member votes in ranks in which it has voted',
    kind: 'safety',
  },
  {
    name: 'example hotstuff: one certificate decides',
    specimen,
    file: inFile('engine'),
    find: 'const decided = blocks.find((block) => isNext(block.parent, block))?.parent',
    replace: 'const [decided] = isNext(certificate, certificate) ? [] : blocks',
    why: 'a chain of one where two are needed: nobody need be locked on what is decided',
  },
  {
    name: 'example hotstuff: blocks are not stored',
    specimen,
    file: inFile('tree'),
    find: 'this.host.put(PREFIX + block.id, this.blocks.encode(block))',
    replace: 'this.blocks.encode(block)',
    why: 'forgotten persistence: after a blackout nobody knows what is certified',
    kind: 'liveness',
  },
  {
    name: 'example hotstuff: requests are not said again',
    specimen,
    file: inFile('requests'),
    find: "if (own.length > 0) this.host.broadcast(encode({ type: 'requests', requests: own }))",
    replace: '',
    why: 'a leader that is dead is suspected by the owner alone',
    kind: 'liveness',
  },
  {
    name: 'example hotstuff: missing blocks are not given',
    specimen,
    file: inFile('catch-up'),
    find: 'blocks.push(at)',
    replace: '',
    why: 'who missed a proposal never gets it, unless there is a state to transfer',
  },
]
