import type { pbft } from '../../proto/index.js'
import type { MemberIndex, VoteMark } from '../consensus/index.js'
import { type Core, executedTo, isPrimary, type Parts, type Slot } from './core.js'
import { encodePayload, type Payload, toBatch } from './messages.js'
import { fetchMissing } from './new-view.js'
import { GENESIS_PLACEHOLDER } from './records.js'

/** A member is helped at most this often. */
const HELP_EVERY_MS = 200
/** An idle replica asks one other, in turn, after this many ticks without progress whether it is behind. */
const IDLE_TICKS = 5
const MAX_FETCH_DELAY_MS = 100

export interface CatchUp {
  readonly part: Parts['catchUp']
  onPeer(member: MemberIndex, up: boolean): void
  onTick(): void
  onFetchTimer(): void
  onFetch(from: MemberIndex, message: pbft.FetchRequestBatch): void
  onReturned(message: pbft.RequestBatch): void
}

export interface Repeaters {
  /** A link came up: what other parts have to say again. */
  readonly repeatTo: (member: MemberIndex, downSinceMs: number) => void
}

/**
 * What v0.6 lacks (spec/consensus.md §15 W10, W26, W34, W36), with v0.6's own messages: lost messages are said again, and a replica that is behind learns it.
 * A checkpoint that is said again asks for help; the answer is the commits for later numbers, which prove what was decided; contents are fetched.
 */
export function createCatchUp(core: Core, { repeatTo }: Repeaters): CatchUp {
  const { host, state, timers, options, quorums, parts } = core
  const down = new Map<MemberIndex, number>()
  const helpedAt = new Map<MemberIndex, number>()
  const wanted = new Map<string, number>()
  let mark = ''
  let idleTicks = 0

  const say = (to: MemberIndex | undefined, payload: Payload, vote: VoteMark): void => {
    if (to === undefined) host.broadcast(encodePayload(payload), { vote })
    else host.send(to, encodePayload(payload), { vote })
  }
  const sayCheckpoints = (to: MemberIndex | undefined, above: bigint): void => {
    for (const [n, id] of state.checkpoints) {
      if (n <= above || id === GENESIS_PLACEHOLDER) continue
      say(to, { $case: 'checkpoint', value: { sequenceNumber: n, replicaId: BigInt(host.self), id } }, { slot: `checkpoint ${n}`, value: id })
    }
  }
  /** Asks whoever is further for help. */
  const probe = (to?: MemberIndex): void => {
    const numbers = [...state.checkpoints].filter(([, id]) => id !== GENESIS_PLACEHOLDER).map(([n]) => n)
    if (numbers.length > 0) sayCheckpoints(to, numbers.reduce((highest, n) => (n > highest ? n : highest)) - 1n)
  }
  const sayCommit = (to: MemberIndex | undefined, { n, commits }: Slot): void => {
    const own = commits.get(host.self)
    if (!own) return
    const value = { view: own.view, sequenceNumber: n, batchDigest: own.digest, replicaId: BigInt(host.self) }
    say(to, { $case: 'commit', value }, { slot: `commit ${own.view} ${n}`, value: own.digest })
  }
  /** Own proposal and vote for a number that is not decided. */
  const sayProgress = (to: MemberIndex | undefined, { n, proposal, isPrepareSent }: Slot): void => {
    if (!state.isActive || proposal === undefined) return
    const { view } = state
    const common = { view, sequenceNumber: n, batchDigest: proposal, replicaId: BigInt(host.self) }
    if (isPrimary(core)) {
      const requestBatch = state.batches.get(proposal)?.message
      say(to, { $case: 'prePrepare', value: { ...common, requestBatch } }, { slot: `pre-prepare ${view} ${n}`, value: proposal })
    } else if (isPrepareSent) say(to, { $case: 'prepare', value: common }, { slot: `prepare ${view} ${n}`, value: proposal })
  }
  const repeatProgress = (to?: MemberIndex): void => {
    for (const slot of state.slots.values()) {
      if (slot.n <= executedTo(state)) continue
      sayProgress(to, slot)
      sayCommit(to, slot)
    }
  }
  /** Something is known above the last number executed, or requests wait. */
  const isUnfinished = (): boolean => parts.requests.hasWaiting() || !state.isActive || [...state.slots.keys()].some((n) => n > executedTo(state))
  const askOne = (): void => {
    const others = host.members.map(({ index }) => index).filter((index) => index !== host.self && !down.has(index))
    const next = others[Math.floor(idleTicks / IDLE_TICKS) % others.length]
    if (next !== undefined) probe(next)
  }
  const hasUnreachedTarget = (): boolean => state.target !== undefined && state.target.n > executedTo(state)
  const fetch = (digest: string, attempt: number): void => {
    const slot = [...state.slots.values()].find(({ committed }) => committed === digest)
    const holders = [...(slot?.commits ?? [])].filter(([member, vote]) => member !== host.self && vote.digest === digest).map(([member]) => member)
    const holder = holders[attempt % Math.max(1, holders.length)]
    if (holder !== undefined) host.send(holder, encodePayload({ $case: 'fetchRequestBatch', value: { batchDigest: digest, replicaId: BigInt(host.self) } }))
  }
  return {
    part: {
      help(member, n) {
        const last = helpedAt.get(member) ?? Number.NEGATIVE_INFINITY
        if (host.now - last < HELP_EVERY_MS) return
        helpedAt.set(member, host.now)
        sayCheckpoints(member, n)
        for (const slot of [...state.slots.values()].sort((left, right) => (left.n < right.n ? -1 : 1))) {
          if (slot.n <= n) continue
          if (slot.n > executedTo(state)) sayProgress(member, slot)
          sayCommit(member, slot)
        }
        repeatTo(member, host.now)
      },
      isBehind: () => hasUnreachedTarget() || (state.currentExec === undefined && [...state.slots.values()].some(({ n, committed }) => committed !== undefined && n > state.lastExec)),
      canChangeView: () => quorums.N - down.size >= quorums.viewChange,
      wantBatch(digest) {
        if (!wanted.has(digest)) wanted.set(digest, 0)
        timers.softStart('fetch', Math.min(MAX_FETCH_DELAY_MS, options.requestMs / 10))
      },
    },
    onPeer(member, up) {
      if (!up) return void down.set(member, host.now)
      const downSinceMs = down.get(member) ?? 0
      down.delete(member)
      probe(member)
      repeatProgress(member)
      repeatTo(member, downSinceMs)
    },
    onTick() {
      timers.set('tick', options.requestMs / 2)
      const now = [state.view, state.isActive, state.lastExec, state.h].join(' ')
      if (now !== mark) {
        mark = now
        idleTicks = 0
        return
      }
      idleTicks++
      if (state.currentExec !== undefined || state.transferring) return
      if (!state.isActive) fetchMissing(core)
      if (state.target && hasUnreachedTarget()) parts.transfer.start(state.target)
      else if (isUnfinished() || state.isOutOfDate) {
        probe()
        repeatProgress()
      } else if (idleTicks % IDLE_TICKS === 0) askOne()
    },
    onFetchTimer() {
      for (const [digest, attempt] of wanted) {
        if (state.batches.has(digest) || attempt > 2 * quorums.N) wanted.delete(digest)
        else {
          fetch(digest, attempt)
          wanted.set(digest, attempt + 1)
        }
      }
      if (wanted.size > 0) timers.set('fetch', options.requestMs / 4)
    },
    onFetch(_from, { batchDigest, replicaId }) {
      const batch = state.batches.get(batchDigest)
      if (batch) host.send(Number(replicaId), encodePayload({ $case: 'returnRequestBatch', value: batch.message }))
    },
    onReturned(message) {
      if (wanted.size === 0 && state.missing.size === 0) return
      const batch = toBatch(message)
      if (!wanted.has(batch.digest) && !state.missing.has(batch.digest)) return
      wanted.delete(batch.digest)
      parts.ordering.addBatch(batch)
      if (state.missing.delete(batch.digest)) parts.newView.process()
      parts.execution.advance()
    },
  }
}
