import type { Engine, EngineFactory, EngineHost, EngineStart, MemberIndex } from 'weft/consensus'
import { onDelivered, onTransferred, transfer } from './delivery.js'
import { awaitLeader, campaign, follow, lead, onCampaign, onElectionTimer, onHandOverTimer, onHeartbeat, onPeer, onVote, stand } from './election.js'
import { onAppend, onOffer } from './follower.js'
import { Log } from './log.js'
import { decodeMessage, type Message, type Position } from './messages.js'
import { parseRaftOptions, type RaftOptions } from './options.js'
import { Metadata, restore, saveVote } from './records.js'
import { Replica, type TimerName } from './replica.js'
import { beat, onAppended, propose } from './replication.js'
import { onForward, onOwnRequest, onRetry, passOn } from './requests.js'

/** Raft: orders for 2f + 1 members of which f may crash. */
export const raft: EngineFactory<RaftOptions> = Object.freeze({
  name: 'raft',
  version: '1.0.0',
  agreement: true,
  tolerates: (n: number) => ({ crashed: Math.floor((n - 1) / 2), byzantine: 0 }),
  parseOptions: parseRaftOptions,
  create(host: EngineHost, options: RaftOptions, start: EngineStart): Engine {
    const replica = begin(host, options, start)
    publish(replica)
    return engineOf(replica)
  },
})

/** A member as its records left it. Throws ERR_RAFT_RECORD. */
function begin(host: EngineHost, options: RaftOptions, start: EngineStart): Replica {
  const head = Metadata.decode(start.metadata)
  const restored = restore(start)
  const base = restored?.base ?? { index: 0, term: 0 }
  const r = new Replica(host, options, new Log(host, base, restored?.entries ?? []), start.executed, propose)
  if (head && head.index > base.index && r.log.termAt(head.index) !== head.term) r.log.rebase(head)
  r.delivered = Math.max(r.log.base.index, head?.index ?? 0)
  r.handed = r.delivered
  r.commit = r.delivered
  r.timers.set('retry', options.retryMs)
  const first = start.firstLeader ?? Number(start.epoch % BigInt(host.members.length))
  if (restored) resume(r, restored.term, restored.votedFor)
  else if (head) resume(r, Math.max(1, head.term), undefined)
  else beginEpoch(r, first)
  return r
}

/** Nothing has happened in this epoch: term 1 is as if everybody had voted for the epoch's first leader, which need not wait for anybody. */
function beginEpoch(r: Replica, first: MemberIndex): void {
  r.term = 1
  r.votedFor = first
  saveVote(r.host, 1, first)
  awaitLeader(r)
  r.leader = first
  if (first !== r.self) return
  lead(r)
  beat(r)
}

/** An earlier life's promises hold. The state may lag behind the blocks if that life ended in a transfer: a transfer to the own head makes it whole. */
function resume(r: Replica, term: number, votedFor: MemberIndex | undefined): void {
  r.term = term
  r.votedFor = votedFor
  saveVote(r.host, term, votedFor)
  awaitLeader(r)
  const { height, hash } = r.host.head
  const at: Position = { index: r.delivered, term: r.log.termAt(r.delivered) ?? 0 }
  r.catchUp = { offer: { at, height, hash, members: [] }, isRunning: true }
  transfer(r)
}

function engineOf(r: Replica): Required<Omit<Engine, 'onExecuted' | 'onSigned' | 'onVerified' | 'dispose'>> {
  const then =
    <A extends unknown[]>(handler: (...args: A) => void) =>
    (...args: A): void => {
      handler(...args)
      publish(r)
    }
  return {
    onRequest: (request) => onOwnRequest(r, request),
    onMessage: then((from: MemberIndex, bytes: Uint8Array) => onMessage(r, from, decodeMessage(bytes, r.host.members.length))),
    onPeer: then((member: MemberIndex, isUp: boolean) => onPeer(r, member, isUp)),
    onTimer: then((name: string) => {
      r.timers.fired(name)
      if (isTimerName(name)) onTimers[name](r)
    }),
    onDelivered: then((_tag, block) => onDelivered(r, block)),
    onTransferred: then((result) => {
      if (!onTransferred(r, result)) return
      if (r.leader !== undefined) r.answerAppend(r.leader, true, r.delivered, r.delivered)
      // Nobody else could lead.
      if (r.majority === 1) stand(r)
    }),
    onSealed: then((height: bigint) => {
      r.sealedAt = height
    }),
  }
}

function onMessage(r: Replica, from: MemberIndex, message: Message | undefined): void {
  if (!message) r.host.log('warning', `a message of member ${from} is dropped: it is none of raft`)
  else if (message.kind === 'forward') onForward(r, from, message)
  else if (message.kind === 'campaign') onCampaign(r, from, message)
  else if (message.kind === 'vote') onVote(r, from, message)
  else if (message.kind !== 'appended') onLeaderMessage(r, from, message)
  else if (message.term > r.term) follow(r, message.term, undefined)
  else if (message.term === r.term && r.isLeader) onAppended(r, from, message)
}

/** What only a leader sends: whoever sends it leads in its term. A leader of the past learns so. */
function onLeaderMessage(r: Replica, from: MemberIndex, message: Message & { kind: 'append' | 'offer' | 'hand-over' }): void {
  if (message.term < r.term) return r.answerAppend(from, false, 0, r.delivered)
  const isOther = message.term === r.term && (r.isLeader || (r.leader ?? from) !== from)
  if (isOther) return r.host.log('warning', `a message of member ${from} is dropped: in term ${r.term} another leads`)
  follow(r, message.term, from)
  if (message.kind === 'append') onAppend(r, from, message)
  else if (message.kind === 'offer') onOffer(r, from, message)
  else if (!r.catchUp) campaign(r, false, true)
}

const onTimers: Readonly<Record<TimerName, (r: Replica) => void>> = {
  election: onElectionTimer,
  heartbeat: onHeartbeat,
  batch: (r) => r.batcher.timeUp(),
  forward: passOn,
  'hand-over': onHandOverTimer,
  retry(r) {
    if (r.catchUp && !r.catchUp.isRunning) transfer(r)
    onRetry(r)
  },
}

const isTimerName = (name: string): name is TimerName => Object.hasOwn(onTimers, name)

/** What `peer consensus status` and `peer top` show, and the metrics. */
function publish(r: Replica): void {
  const { role, term, commit, delivered, leader } = r
  const { members, self } = r.host
  const { base, last, bytes } = r.log
  const view = { view: term, leader: leader === undefined ? undefined : members[leader]?.id, role, term, commit, delivered }
  const followers = () => r.others.map((to) => ({ id: members[to]?.id, match: r.progress[to]?.match, delivered: r.progress[to]?.delivered }))
  const log = { first: base.index + 1, last: last.index, bytes }
  r.publish({
    facts: { ...view, last: last.index, waiting: r.book.size, transferring: r.catchUp?.isRunning === true },
    more: () => ({ replica: self, replicas: members.length, log, ...(r.isLeader ? { followers: followers() } : {}) }),
    metrics: { raft_term: term, raft_is_leader: Number(r.isLeader), raft_commit_index: commit, raft_delivered_index: delivered, raft_log_bytes: bytes },
  })
}
