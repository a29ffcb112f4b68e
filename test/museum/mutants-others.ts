import type { Mutant } from './mutant.js'

const raft = 'test/simulator/skeletons/raft.ts'
const hotstuff = 'test/simulator/skeletons/hotstuff.ts'

/** Broken copies of the Raft and HotStuff skeletons. */
export const OTHER_MUTANTS: readonly Mutant[] = [
  {
    name: 'raft: half of the members are a majority',
    specimen: 'raft',
    file: raft,
    find: 'return Math.floor(this.host.members.length / 2) + 1',
    replace: 'return Math.floor(this.host.members.length / 2)',
    why: 'a wrong quorum: two leaders in one term',
  },
  {
    name: 'raft: the vote is not stored',
    specimen: 'raft',
    file: raft,
    find: "this.host.put('hard', pack({ term: this.#term, votedFor: this.#votedFor }))",
    replace: "this.host.put('hard', pack({ term: this.#term, votedFor: undefined }))",
    why: 'vote twice: after a power cut a member votes for somebody else in the same term',
    kind: 'safety',
    faults: ['power', 'power', 'blackout', 'partition', 'break'],
  },
  {
    name: 'raft: anybody is up to date',
    specimen: 'raft',
    file: raft,
    find: 'const isUpToDate = lastTerm > myLastTerm || (lastTerm === myLastTerm && last >= myLast)',
    replace: 'const isUpToDate = last >= 0 && lastTerm >= 0 && myLast >= 0 && myLastTerm >= 0',
    why: 'a member with a short log is elected and overwrites what was decided',
  },
  {
    name: 'raft: conflicting entries stay',
    specimen: 'raft',
    file: raft,
    find: '      this.#truncate(index)\n      this.#add(entry)',
    replace: '      this.#add(entry)',
    why: 'a follower appends after entries that contradict those of the leader',
  },
  {
    name: 'raft: no timer after a vain election',
    specimen: 'raft',
    file: raft,
    find: '    this.#votes = new Set([this.host.self])\n    this.#persistVote()\n    this.#awaitLeader()',
    replace: '    this.#votes = new Set([this.host.self])\n    this.#persistVote()',
    why: 'a candidate without a majority never tries again',
    kind: 'liveness',
  },
  {
    name: 'raft: one log entry is not stored',
    specimen: 'raft',
    file: raft,
    find: 'this.host.put(keyOf(this.#log.length), pack(entry))',
    replace: 'if (this.#log.length !== 3) this.host.put(keyOf(this.#log.length), pack(entry))',
    why: 'forgotten persistence of a part of the log',
    // Waiting for a network in vain, as some seeds do, takes a minute.
    kind: 'safety',
    hosts: 'silent',
  },
  {
    name: 'hotstuff: a certificate of two votes',
    specimen: 'hotstuff',
    file: hotstuff,
    find: 'this.#quorum = n - Math.floor((n - 1) / 3)',
    replace: 'this.#quorum = Math.floor(n / 2)',
    why: 'a wrong quorum: both halves of a parted network decide',
    faults: ['partition', 'delay'],
    durationMs: 8000,
    requests: 40,
  },
  {
    name: 'hotstuff: nothing is stored',
    specimen: 'hotstuff',
    file: hotstuff,
    find: "this.host.put('state', pack({ voted: this.#voted, proposed: this.#proposed, high: this.#high, locked: this.#locked }))",
    replace: '',
    why: 'after a power cut a member proposes and votes again in a view in which it has',
  },
  {
    name: 'hotstuff: the view timer stops after one run',
    specimen: 'hotstuff',
    file: hotstuff,
    find: "    this.#view = view\n    this.host.setTimer('view', VIEW_MS * 2 ** Math.min(this.#failures, 3))",
    replace: '    this.#view = view',
    why: 'a timer that is not set again: the second dead leader in a row ends everything',
  },
  {
    name: 'hotstuff: missing nodes are not fetched',
    specimen: 'hotstuff',
    file: hotstuff,
    find: "return this.#send(from, { t: 'nodes', nodes: this.#branch(message.node).slice(0, FETCH_AT_ONCE) })",
    replace: 'return',
    why: 'who missed a proposal never gets it',
  },
]
