import { Client, credentials } from '@grpc/grpc-js'
import { readFileSync } from 'node:fs'
import { messageOf } from '../../kernel/index.js'
import { callUnary, type ConsensusReport, ConsensusToolsService } from '../../proto/index.js'
import { isRpcError, rpcErrorText } from '../grpc/index.js'
import type { PeerPlan } from './plan.js'

/** Of gRPC. */
const DEADLINE_EXCEEDED = 4
const ANSWER_MS = 2000
const SILENT = `no answer within ${ANSWER_MS / 1000} s: it starts, is overloaded, or is stopped`

/** A peer that answers. */
export interface RunningView {
  readonly state: 'running'
  readonly pid: number
  readonly report: ConsensusReport
  /** What the engine says of itself. */
  readonly engineView: Readonly<Record<string, unknown>>
}

/** A peer as it is found. `starting`: its process runs and does not answer. */
export type PeerView = RunningView | { readonly state: 'starting'; readonly pid: number; readonly reason: string } | { readonly state: 'stopped' }

/** A client of a devnet's peer; with TLS it trusts the devnet's own certificate. */
export function clientOf({ address }: PeerPlan, certificate: string | undefined): Client {
  const trust = certificate === undefined ? credentials.createInsecure() : credentials.createSsl(readFileSync(certificate))
  return new Client(address, trust, {
    'grpc.enable_http_proxy': 0,
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    'grpc.initial_reconnect_backoff_ms': 20,
    'grpc.max_reconnect_backoff_ms': 100,
    ...(certificate === undefined ? {} : { 'grpc.ssl_target_name_override': 'localhost' }),
  })
}

/** Asks a peer whose process runs. */
export async function viewOf(pid: number, client: Client): Promise<PeerView> {
  try {
    const report = await callUnary(client, ConsensusToolsService.status, {}, { deadline: Date.now() + ANSWER_MS })
    const parsed: unknown = JSON.parse(report.engineView)
    return { state: 'running', pid, report, engineView: typeof parsed === 'object' && parsed !== null ? { ...parsed } : {} }
  } catch (error) {
    const isSilent = isRpcError(error) && error.code === DEADLINE_EXCEEDED
    return { state: 'starting', pid, reason: isSilent ? SILENT : error instanceof SyntaxError ? messageOf(error) : rpcErrorText(error) }
  }
}

/** What orders on the peers that answer, as people say it: after a swap it is not what the devnet began with. Undefined: none answers. */
export function runningEngine(peers: readonly { readonly view: PeerView }[]): string | undefined {
  const names = peers.flatMap(({ view }) =>
    view.state !== 'running' || view.report.engine === '' ? [] : [`${view.report.engine}${view.report.epoch > 0n ? `, epoch ${view.report.epoch}` : ''}`],
  )
  return names.length === 0 ? undefined : [...new Set(names)].join('; ')
}

/** Whether its engine is halted, or it lacks the one of the network. While a peer starts it has none. */
export function isHalted(view: PeerView): boolean {
  return view.state === 'running' && view.report.halted !== '' && view.report.engine !== ''
}

/** Why a peer cannot order with these others yet; undefined: it can. `height`: what it must have reached. */
export function notReady(view: PeerView, others: readonly string[], height = 0n): string | undefined {
  if (view.state === 'stopped') return 'it does not run'
  if (view.state === 'starting') return `it does not answer: ${view.reason}`
  const { halted, valid, members } = view.report
  if (halted !== '') return halted
  const missing = members.filter(({ id, self, connected }) => others.includes(id) && !self && !connected).map(({ id }) => id)
  if (missing.length > 0) return `it is not connected to ${missing.join(', ')}`
  if (!valid || view.report.height < height) return `it catches up, at height ${view.report.height}`
  return view.engineView['active'] === false ? 'its engine changes the view' : undefined
}
