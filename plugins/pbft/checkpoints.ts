import type { pbft } from '../../proto/index.js'
import type { MemberIndex } from '../consensus/index.js'
import { broadcast, type Core, isInWindow, logSize, type Parts } from './core.js'
import { fromBase64, toBase64 } from './messages.js'

export interface Checkpoints {
  readonly part: Parts['checkpoints']
  onCheckpoint(from: MemberIndex, message: pbft.Checkpoint): void
}

/** Checkpoints, their certificates and the watermarks (spec/consensus.md §8.1–§8.4). */
export function createCheckpoints(core: Core): Checkpoints {
  const { host, state, timers, options, quorums, records, parts } = core
  /** What each member says of a number: one value each, the first (§15 W27). */
  const said = new Map<bigint, Map<MemberIndex, string>>()
  /** The last checkpoint at or above the high watermark that each member told of. */
  const ahead = new Map<MemberIndex, { readonly n: bigint; readonly id: string }>()
  const latest = new Map<MemberIndex, bigint>()

  const high = (): bigint => state.h + logSize(options)
  const membersFor = (n: bigint, id: string): MemberIndex[] => [...(said.get(n) ?? [])].filter(([, value]) => value === id).map(([member]) => member)

  /** Whether f + 1 members are beyond the high watermark: then this replica will not get there by itself (§8.3). */
  const hasFallenBehind = (from: MemberIndex, n: bigint, id: string): boolean => {
    if (n < high()) {
      ahead.delete(from)
      return false
    }
    ahead.set(from, { n, id })
    if (ahead.size <= quorums.f) return false
    const numbers = [...ahead.values()].map((told) => told.n).sort((left, right) => (left < right ? -1 : 1))
    const certain = numbers[numbers.length - 1 - quorums.f] ?? 0n
    const isBehind = certain > high()
    for (const [member, told] of ahead) if (told.n < high()) ahead.delete(member)
    if (!isBehind) return false
    host.log('warning', `${quorums.f + 1} replicas are beyond number ${certain}, above the window to ${high()}: the state will be transferred`)
    part.moveWatermarks(certain)
    state.waiting = []
    state.isOutOfDate = true
    host.setValid(false)
    timers.stop('newView')
    rememberTarget()
    return true
  }
  /** The checkpoints that revealed the lag are a target too, if f + 1 of them agree: the next may be long in coming (§15 W34). */
  const rememberTarget = (): void => {
    for (const { n, id } of ahead.values()) {
      const members = [...ahead].filter(([, told]) => told.n === n && told.id === id).map(([member]) => member)
      const bytes = fromBase64(id)
      if (members.length > quorums.f && bytes) parts.transfer.learn({ n, id: bytes, members })
    }
  }
  const onWeakCertificate = (n: bigint, id: string, members: readonly MemberIndex[]): void => {
    const own = state.checkpoints.get(n)
    if (own !== undefined && own !== id) {
      host.setValid(false)
      return host.halt(`the state after number ${n} is ${own} here and ${id} at replicas ${members.join(', ')}: this validator has diverged and stops voting`)
    }
    const bytes = fromBase64(id)
    if (!bytes) return host.log('warning', `the checkpoint of number ${n} is no Base64: ${id.slice(0, 100)}`)
    const target = { n, id: bytes, members }
    parts.transfer.learn(target)
    if (state.isOutOfDate) parts.transfer.retry(target)
  }
  const accept = (from: MemberIndex, n: bigint, id: string): void => {
    if (hasFallenBehind(from, n, id) || !isInWindow(core, n)) return
    const values = said.get(n) ?? new Map<MemberIndex, string>()
    said.set(n, values)
    const before = values.get(from)
    if (before !== undefined) {
      if (before !== id) host.log('warning', `replica ${from} says two things of checkpoint ${n}; the first counts`)
      return
    }
    values.set(from, id)
    if (new Set(values.values()).size > quorums.f + 1) host.log('error', `more than ${quorums.f} replicas disagree about the state after number ${n}`)
    const members = membersFor(n, id)
    if (members.length === quorums.f + 1) onWeakCertificate(n, id, members)
    if (members.length < quorums.intersection) return
    if (!state.checkpoints.has(n)) {
      if (state.isOutOfDate && n >= state.h + logSize(options) / 2n) part.moveWatermarks(n)
      return
    }
    part.moveWatermarks(n)
    parts.newView.process()
  }
  const dropUpTo = (x: bigint): void => {
    for (const n of [...state.slots.keys()]) if (n <= x) state.slots.delete(n)
    for (const n of [...said.keys()]) if (n <= x) said.delete(n)
    for (const n of [...state.pset.keys()]) if (n <= x) state.pset.delete(n)
    for (const [key, { sequenceNumber }] of [...state.qset]) if (sequenceNumber <= x) state.qset.delete(key)
    for (const n of [...state.checkpoints.keys()].filter((n) => n < x)) {
      state.checkpoints.delete(n)
      records.dropCheckpoint(n)
    }
    state.isPsetStale = true
  }
  /** Batches are kept as long as anything above the watermark names them (§15 W28). */
  const dropUnused = (): void => {
    const used = new Set<string>([...state.waiting.map(({ digest }) => digest), ...state.missing])
    for (const { proposal, committed } of state.slots.values()) for (const digest of [proposal, committed]) if (digest) used.add(digest)
    for (const { batchDigest } of [...state.pset.values(), ...state.qset.values()]) used.add(batchDigest)
    for (const digest of [...state.batches.keys()]) {
      if (used.has(digest)) continue
      state.batches.delete(digest)
      records.dropBatch(digest)
    }
  }
  const part: Parts['checkpoints'] = {
    take(n, blob) {
      const id = toBase64(blob)
      state.checkpoints.set(n, id)
      records.saveCheckpoint(n, blob)
      accept(host.self, n, id)
      const value = { sequenceNumber: n, replicaId: BigInt(host.self), id }
      broadcast(core, { $case: 'checkpoint', value }, { slot: `checkpoint ${n}`, value: id })
    },
    moveWatermarks(n, { keepBatches = false } = {}) {
      const x = n - (n % BigInt(options.K))
      dropUpTo(x)
      state.h = x
      if (keepBatches) return
      dropUnused()
      parts.ordering.proposeWaiting()
    },
  }
  return {
    part,
    onCheckpoint(from, { sequenceNumber: n, id }) {
      const before = latest.get(from) ?? -1n
      latest.set(from, n > before ? n : before)
      if (n <= before || n < state.h) parts.catchUp.help(from, n)
      accept(from, n, id)
    },
  }
}
