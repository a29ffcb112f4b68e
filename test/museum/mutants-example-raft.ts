import type { Mutant } from './mutant.js'

const SRC = 'examples/engines/raft/src'

/** Broken copies of the Raft of examples/engines, an engine that imports only what any package imports. */
export const EXAMPLE_RAFT_MUTANTS: readonly Mutant[] = [
  {
    name: 'example raft: half of the members are a majority',
    specimen: 'example raft',
    file: `${SRC}/replica.ts`,
    find: 'this.majority = Math.floor(host.members.length / 2) + 1',
    replace: 'this.majority = Math.max(1, Math.floor(host.members.length / 2))',
    why: 'a wrong quorum: two leaders in one term',
  },
  {
    name: 'example raft: anybody is up to date',
    specimen: 'example raft',
    file: `${SRC}/election.ts`,
    find: 'const isYes = isUpToDate && isFree',
    replace: 'const isYes = isFree && (isUpToDate || isFree)',
    why: 'a member with a short log is elected and overwrites what was decided',
  },
  {
    name: 'example raft: conflicting entries stay',
    specimen: 'example raft',
    file: `${SRC}/follower.ts`,
    find: '      r.log.truncate(index)\n    }\n    r.log.append(entry)',
    replace: '      continue\n    }\n    r.log.append(entry)',
    why: 'a follower appends behind entries that contradict those of the leader',
  },
  {
    name: 'example raft: entries fit behind anything',
    specimen: 'example raft',
    file: `${SRC}/follower.ts`,
    find: 'return index < log.base.index || log.termAt(index) === term',
    replace: 'return index < log.base.index || log.termAt(index) !== undefined || term < 0',
    why: 'logs that part before the new entries are never made equal',
  },
  {
    name: 'example raft: entries are not stored',
    specimen: 'example raft',
    file: `${SRC}/log.ts`,
    find: '    this.host.put(keyOf(index), Entry.encode(entry))\n',
    replace: '    if (index % 2 === 0) this.host.put(keyOf(index), Entry.encode(entry))\n',
    why: 'forgotten persistence: a member says that it has what a power cut takes from it',
  },
  {
    name: 'example raft: what a leader says is committed is believed beyond what was compared',
    specimen: 'example raft',
    file: `${SRC}/follower.ts`,
    find: 'Math.min(commit, index))',
    replace: 'Math.min(commit, r.log.last.index + 0 * index))',
    why: 'old entries behind those that the leader compared are delivered in the place of its own',
  },
  {
    name: 'example raft: requests go to the first leader only',
    specimen: 'example raft',
    file: `${SRC}/requests.ts`,
    find: '  if (!r.isLeader) r.book.requeue((id) => r.isOnItsWay(id))\n',
    replace: '',
    why: 'what was lost on the way to a leader is never passed on again',
  },
  {
    name: 'example raft: a member behind the log is not told',
    specimen: 'example raft',
    file: `${SRC}/replication.ts`,
    find: 'if (p.next <= r.log.base.index) return offer(r, to, p)',
    replace: 'if (p.next <= r.log.base.index) return p.isAsked ? undefined : undefined',
    why: 'who was away for long never comes back',
    requests: 80,
    durationMs: 8000,
  },
  {
    name: 'example raft: rejected and executed requests are forgotten',
    specimen: 'example raft',
    file: `${SRC}/requests.ts`,
    find: '    const isKnown = r.book.get(id) !== undefined || r.book.isExecuted(id) || (r.log.placeOf(id) ?? 0) > delivered\n',
    replace: '    const isKnown = r.book.get(id) !== undefined\n',
    why: 'a request that another leader has ordered is ordered again',
  },
]
