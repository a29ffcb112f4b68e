import { leadershipOf } from '../../../plugins/consensus/index.js'
import { ConsensusToolsService, PlanSwapRequest, type SuccessionReport } from '../../../proto/index.js'
import { pause } from '../support/program.js'
import type { ChaosNetwork } from './network.js'

/** A moment of a swap, as seen at one validator. */
export interface Moment {
  readonly name: string
  readonly isNow: (report: SuccessionReport, from: bigint) => boolean
}

const isPast = ({ record }: SuccessionReport, from: bigint): boolean => (record?.epoch ?? 0n) > from
export const hasStarted = ({ record }: SuccessionReport): boolean => record !== undefined && record.started.length >= record.markersNeeded

/** In their order. One that is over before it is seen is met at the next. */
export const MOMENTS: readonly Moment[] = [
  { name: 'prepared', isNow: (report, from) => report.candidate !== undefined || isPast(report, from) },
  { name: 'on trial', isNow: (report, from) => report.phase === 'on trial' || report.phase === 'ready' || isPast(report, from) },
  { name: 'ready', isNow: (report, from) => (report.candidate?.readies.length ?? 0) > 0 || isPast(report, from) },
  { name: 'decided', isNow: isPast },
  { name: 'another has crossed', isNow: (report, from) => isPast(report, from) && report.crossed.length > 1 },
  { name: 'markers awaited', isNow: (report, from) => isPast(report, from) && (report.record?.started.length ?? 0) > 0 },
  { name: 'started', isNow: (report, from) => isPast(report, from) && hasStarted(report) },
]

export const successionAt = (network: ChaosNetwork, index: number, limitMs = 2000): Promise<SuccessionReport> =>
  network.peer(index).client.call(ConsensusToolsService.succession, { history: false }, limitMs)

/** Waits for a moment at a validator, a while. */
export async function untilMoment(network: ChaosNetwork, at: number, { isNow }: Moment, from: bigint, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs
  while (performance.now() < deadline) {
    const report = await successionAt(network, at).catch(() => undefined)
    if (report && isNow(report, from)) return true
    await pause(3)
  }
  return false
}

/** Who leads, as a validator's engine says. */
export async function leaderAt(network: ChaosNetwork, at: number): Promise<number | undefined> {
  const report = await network.peer(at).client.call(ConsensusToolsService.status, {}, 2000)
  const { leader } = leadershipOf(report)
  const index = report.members.findIndex(({ id }) => id === leader)
  return index < 0 ? undefined : index
}

/** Proposes a swap at a validator, whoever does not answer. Resolves with how that went. */
export async function propose(network: ChaosNetwork, at: number, engine: string, deadlineMs: number): Promise<string> {
  const { client } = network.peer(at)
  try {
    const plan = await client.call(ConsensusToolsService.planSwap, PlanSwapRequest.fromPartial({ engine, allowWeaker: true, deadlineMs }), 30_000)
    if (plan.objection !== '') return `refused: ${plan.objection}`
    const reply = await client.call(ConsensusToolsService.proposeSwap, { proposal: plan.proposal, signatures: new Uint8Array(0) }, 60_000)
    return reply.error === '' ? 'prepared' : `rejected: ${reply.error}`
  } catch (error) {
    return `failed: ${error instanceof Error ? error.message : String(error)}`
  }
}
