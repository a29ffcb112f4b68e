import { hex } from '../../proto/index.js'
import { leadershipOf } from '../consensus/index.js'
import { engineOf } from './happenings.js'
import type { Watched } from './model.js'
import { type Rates, ratesOf } from './rates.js'
import { type Swap, swapOf } from './swap.js'
import { printable } from '../terminal/index.js'

/** One peer, as tables and programs show it. What is not known is undefined. */
export interface Row {
  readonly id: string
  readonly address: string
  readonly state: 'asked' | 'unreachable' | 'halted' | 'behind' | 'running'
  /** Why it is unreachable or halted. */
  readonly reason: string
  /** Milliseconds for which it has been unreachable. */
  readonly unreachableMs: number | undefined
  readonly engine: string | undefined
  readonly epoch: bigint | undefined
  readonly height: bigint | undefined
  readonly headHash: string
  readonly view: string | undefined
  readonly leader: string | undefined
  readonly swap: Swap | undefined
  readonly rates: Rates
  readonly pool: number | undefined
  readonly inbox: number | undefined
  readonly outbox: number | undefined
  /** Other members, and those of them that it is connected to. */
  readonly links: { readonly up: number; readonly of: number; readonly missing: readonly string[] } | undefined
  /** Median of its links to validators, in milliseconds. */
  readonly roundTripMs: number | undefined
  readonly queuedBytes: number | undefined
  readonly residentBytes: number | undefined
  readonly divergence: string
  /** Why its engine may order nothing; empty: nothing is known. */
  readonly stalled: string
  /** Addresses that it cannot reach, with the reason. */
  readonly failingDials: readonly { readonly address: string; readonly reason: string }[]
}

/** What is known of a watched peer; of one that is unreachable, what it said last. */
export function rowOf({ target, state, last, before, reason, sinceMs }: Watched, nowMs: number): Row {
  const report = last?.report
  const vitals = last?.vitals
  const network = last?.network
  const members = report?.members.filter(({ self }) => !self) ?? []
  const up = members.filter(({ connected }) => connected)
  const missing = members.filter(({ connected }) => !connected).map(({ id }) => printable(id))
  const isUp = state === 'answers'
  const { view, leader } = report ? leadershipOf(report) : { view: undefined, leader: undefined }
  return {
    id: printable(report === undefined || report.id === '' ? target.name : report.id),
    address: printable(target.address),
    state: !isUp ? state : report && report.halted !== '' ? 'halted' : report?.valid === false ? 'behind' : 'running',
    reason: printable(isUp ? (report?.halted ?? '') : reason),
    unreachableMs: state === 'unreachable' ? Math.max(0, nowMs - sinceMs) : undefined,
    engine: report && engineOf(report),
    epoch: report?.epoch,
    height: report?.height,
    headHash: report ? hex(report.headHash) : '',
    view: view === undefined ? undefined : printable(view),
    leader: leader === undefined ? undefined : printable(leader),
    swap: report && swapOf(report),
    rates: ratesOf(before, last),
    pool: report && Number(report.pending),
    inbox: vitals && Number(vitals.inbox),
    outbox: vitals && Number(vitals.outbox),
    links: report && { up: up.length, of: members.length, missing },
    roundTripMs: median(
      (network?.links ?? []).filter(({ roundTripMicros }) => roundTripMicros > 0n).map(({ roundTripMicros }) => Number(roundTripMicros) / 1000),
    ),
    queuedBytes: network?.links.reduce((sum, { queuedBytes }) => sum + Number(queuedBytes), 0),
    residentBytes: vitals && Number(vitals.residentBytes),
    divergence: printable(report?.divergence ?? ''),
    stalled: printable(isUp ? (report?.stalled ?? '') : ''),
    failingDials: (network?.dials ?? []).map((dial) => ({ address: printable(dial.address), reason: printable(dial.reason) })),
  }
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}
