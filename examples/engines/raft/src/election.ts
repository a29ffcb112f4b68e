import type { MemberIndex } from 'weft/consensus'
import { entryFor, type Message } from './messages.js'
import { saveVote } from './records.js'
import type { Replica } from './replica.js'
import { append, beat, replicate, tellSuccessor } from './replication.js'
import { passOn, passOnAgain } from './requests.js'

/** Waits for a leader, a random time so that seldom two stand at once. `isSoon`: there is reason to believe that there is none. */
export function awaitLeader(r: Replica, isSoon = false): void {
  const { electionTimeoutMs } = r.options
  r.patienceMs = isSoon ? (electionTimeoutMs / 2) * r.host.random() : electionTimeoutMs * (1 + r.host.random())
  r.timers.set('election', r.patienceMs)
}

/** Time to stand, unless the leader was heard meanwhile. */
export function onElectionTimer(r: Replica): void {
  const restMs = r.leader === undefined ? 0 : r.heardAt + r.patienceMs - r.host.now
  if (restMs > 0) r.timers.set('election', restMs)
  else stand(r)
}

/** First only asks who would vote for it: a member that was cut off and comes back with an old log disturbs nobody. */
export function stand(r: Replica): void {
  awaitLeader(r)
  if (!r.catchUp) campaign(r, true)
}

/** Takes part in a term. `leader` undefined: not known. */
export function follow(r: Replica, term: number, leader: MemberIndex | undefined): void {
  const isNew = term !== r.term || leader !== r.leader
  if (r.isLeader) stepDown(r)
  if (term > r.term) {
    r.term = term
    r.votedFor = undefined
    saveVote(r.host, term, undefined)
  }
  r.role = 'follower'
  r.leader = leader
  if (leader !== undefined) r.heardAt = r.host.now
  if (isNew) awaitLeader(r)
  if (isNew && leader !== undefined) passOnAgain(r)
}

/** Stands for election, or, `isPre`, asks who would vote. */
export function campaign(r: Replica, isPre: boolean, isHandOver = false): void {
  r.role = 'candidate'
  r.leader = undefined
  r.isPreVote = isPre
  r.votes = new Set([r.self])
  if (!isPre) {
    r.term++
    r.votedFor = r.self
    saveVote(r.host, r.term, r.self)
    awaitLeader(r)
  }
  for (const to of r.others) {
    const message: Message = { kind: 'campaign', term: isPre ? r.term + 1 : r.term, isPre, isHandOver, last: r.log.last }
    r.send(to, message, isPre ? undefined : r.voteMark(r.self))
  }
  countVotes(r)
}

/** A candidate asks. Who hears a leader stays with it, unless the leader itself wants another. */
export function onCampaign(r: Replica, from: MemberIndex, { term, isPre, isHandOver, last }: Message & { kind: 'campaign' }): void {
  const hasLeader = r.isLeader || (r.leader !== undefined && r.host.now - r.heardAt < r.options.electionTimeoutMs)
  if (hasLeader && !isHandOver) {
    if (isPre) r.send(from, { kind: 'vote', term: r.term, isPre, isYes: false })
    return
  }
  if (!isPre && term > r.term) follow(r, term, undefined)
  const own = r.log.last
  const isUpToDate = last.term > own.term || (last.term === own.term && last.index >= own.index)
  const isFree = isPre ? term > r.term : term === r.term && (r.votedFor === undefined || r.votedFor === from)
  const isYes = isUpToDate && isFree
  if (isYes && !isPre) {
    r.votedFor = from
    saveVote(r.host, r.term, from)
    awaitLeader(r)
  }
  r.send(from, { kind: 'vote', term: isYes ? term : r.term, isPre, isYes }, isYes && !isPre ? r.voteMark(from) : undefined)
}

export function onVote(r: Replica, from: MemberIndex, { term, isPre, isYes }: Message & { kind: 'vote' }): void {
  const asked = r.isPreVote ? r.term + 1 : r.term
  if (isYes && r.role === 'candidate' && isPre === r.isPreVote && term === asked) {
    r.votes.add(from)
    countVotes(r)
  } else if (term > r.term && !(isPre && isYes)) follow(r, term, undefined)
}

function countVotes(r: Replica): void {
  if (r.votes.size < r.majority) return
  if (r.isPreVote) campaign(r, false)
  else {
    lead(r)
    // Of the own term: only such an entry commits those of earlier terms.
    append(r, entryFor(r.term, [], false))
    passOn(r)
  }
}

/** Begins to lead in the present term. */
export function lead(r: Replica): void {
  r.role = 'leader'
  r.leader = r.self
  r.ledBlocks = 0
  const { now, members } = r.host
  const next = r.log.last.index + 1
  r.progress = members.map(() => ({ next, match: 0, isProbing: true, isAsked: false, heardAt: now, delivered: undefined }))
  r.book.requeue((id) => r.isOnItsWay(id))
  r.timers.stop('election')
  r.timers.stop('forward')
  r.timers.set('heartbeat', r.options.heartbeatMs)
}

/** A leader that a majority does not answer steps down: another may have been elected, and clients should not wait here. */
export function onHeartbeat(r: Replica): void {
  const since = r.host.now - r.options.electionTimeoutMs
  const heard = r.others.filter((member) => (r.progress[member]?.heardAt ?? since) > since).length + 1
  if (heard < r.majority) {
    r.host.log('info', `this leader heard ${heard} of ${r.host.members.length} members lately, itself included, and steps down`)
    return follow(r, r.term, undefined)
  }
  r.timers.set('heartbeat', r.options.heartbeatMs)
  beat(r)
  const { handOverBlocks } = r.options
  if (handOverBlocks > 0 && r.ledBlocks >= handOverBlocks) handOver(r)
}

/** Hands over to the next member in line that answers and is not behind: orders nothing more, and tells it when it has everything. */
function handOver(r: Replica): void {
  const N = r.host.members.length
  const inLine = r.others.toSorted((a, b) => ((a - r.self + N) % N) - ((b - r.self + N) % N))
  const since = r.host.now - 2 * r.options.heartbeatMs
  const to = inLine.find((member) => {
    const p = r.progress[member]
    return p && !p.isProbing && p.heardAt > since && p.match >= r.commit
  })
  r.ledBlocks = 0
  if (to === undefined) return
  r.handOver = { to, isTold: false }
  r.batcher.clear()
  r.book.requeue((id) => r.isOnItsWay(id))
  r.timers.set('hand-over', r.options.electionTimeoutMs)
  tellSuccessor(r)
}

/** The successor did not take over in time. */
export function onHandOverTimer(r: Replica): void {
  r.handOver = undefined
  passOn(r)
}

function stepDown(r: Replica): void {
  r.timers.stop('heartbeat')
  r.timers.stop('hand-over')
  r.handOver = undefined
  r.batcher.clear()
  // Another leader collects the others' requests.
  for (const { id, isOwn } of r.book.all()) if (!isOwn) r.book.remove(id)
}

/** A link came or went. */
export function onPeer(r: Replica, member: MemberIndex, isUp: boolean): void {
  const p = r.progress[member]
  if (r.isLeader && p && isUp) {
    // What was on its way may be lost.
    p.next = p.match + 1
    p.isProbing = true
    p.isAsked = false
    replicate(r, member)
  } else if (member === r.leader && isUp) passOnAgain(r)
  else if (member === r.leader) {
    // Others may have lost it, too. If they have not, they say so.
    r.leader = undefined
    awaitLeader(r, true)
  }
}
