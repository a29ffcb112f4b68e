import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from '@grpc/grpc-js'
import { PeerError } from '../../../kernel/index.js'
import {
  callUnary,
  ConsensusToolsService,
  type EpochRecord,
  hex,
  type PlanSwapRequest,
  type SuccessionReport,
  type SwapPlanMessage,
} from '../../../proto/index.js'
import { dialFailure, GrpcCommand, isRpcError, rpcDetails, rpcFacts } from '../../grpc/index.js'
import { hasStarted } from '../swap/records.js'

const ANSWER_MS = 30_000
const EXECUTED_MS = 120_000
const LOOK_EVERY_MS = 100
/** Of gRPC. */
const UNAVAILABLE = 14

/** Base of the commands about the succession of engines: they speak to the validator at `peer.address`. */
export abstract class SuccessionCommand extends GrpcCommand {
  private client: Client | undefined

  /** An error of a call; of a peer that is no validator with whom to ask. */
  protected override failure(error: unknown): unknown {
    if (!isRpcError(error) || !error.details.startsWith('no consensus runs here')) return super.failure(error)
    return new PeerError('ERR_RPC', rpcDetails(error), {
      ...rpcFacts(error),
      hint: 'run the command at a validator: on its machine, with --config of its site',
    })
  }

  /** The running validator. Throws what names the address that could not be reached. */
  protected async tools(): Promise<Client> {
    if (this.client) return this.client
    try {
      this.client = await this.dial(Client)
    } catch (error) {
      throw dialFailure('', error)
    }
    return this.client
  }

  protected async plan(request: PlanSwapRequest): Promise<SwapPlanMessage> {
    try {
      return await callUnary(await this.tools(), ConsensusToolsService.planSwap, request, { deadline: Date.now() + ANSWER_MS })
    } catch (error) {
      if (!isRpcError(error) || !error.details.includes('has no engine')) throw error
      throw new PeerError('ERR_SWAP_REFUSED', `the swap is refused: ${error.details}`, {
        cause: error,
        hint: 'put its code on every validator: peer engine install, with --all on those of the devnet in this directory; or list it in their sites',
      })
    }
  }

  protected async succession(history = false): Promise<SuccessionReport> {
    return callUnary(await this.tools(), ConsensusToolsService.succession, { history }, { deadline: Date.now() + ANSWER_MS })
  }

  /** Has a proposal executed; resolves with the number of its block. Throws ERR_SWAP_REJECTED. */
  protected async propose(proposal: Uint8Array, signatures: Uint8Array): Promise<bigint> {
    const client = await this.tools()
    const call = { deadline: Date.now() + EXECUTED_MS }
    const { block, error } = await this.ordered(callUnary(client, ConsensusToolsService.proposeSwap, { proposal, signatures }, call))
    if (error !== '') throw rejected('the swap', error)
    return block
  }

  protected async cancel(cancellation: Uint8Array, signatures: Uint8Array): Promise<bigint> {
    const client = await this.tools()
    const call = { deadline: Date.now() + EXECUTED_MS }
    const { block, error } = await this.ordered(callUnary(client, ConsensusToolsService.cancelSwap, { cancellation, signatures }, call))
    if (error !== '') throw rejected('the cancellation', error, TOO_LATE)
    return block
  }

  /** A call that the running engine has to order. Where there is none that runs, throws ERR_ENGINE_HALTED with the way out. */
  private async ordered<T>(call: Promise<T>): Promise<T> {
    try {
      return await call
    } catch (error) {
      if (!isRpcError(error) || error.code !== UNAVAILABLE) throw error
      const { halted, record } = await this.succession()
      if (halted === '') throw error
      throw new PeerError('ERR_ENGINE_HALTED', `nothing can be ordered through this validator, its engine ${record?.engine ?? ''} is halted: ${halted}`, {
        cause: error,
        hint: 'if it is halted here alone: peer consensus restart-engine, or ask another validator. If on so many that nothing is ordered: peer consensus recover ENGINE, on every validator; docs/guides/runbook.md goes through it',
      })
    }
  }

  /**
   * Shows the swap of a proposal until its epoch has started. Resolves with the new epoch; throws ERR_SWAP_CANCELLED with the reasons of those that gave it up.
   */
  protected async follow({ fromEpoch, candidate }: FollowedSwap, say: (line: string) => void): Promise<SuccessionReport> {
    const said = new Set<string>()
    const once = (line: string): void => {
      if (!said.has(line)) say(line)
      said.add(line)
    }
    for (;;) {
      const report = await this.watched()
      const objections = objectionsTo(candidate, report)
      for (const line of progressOf(report, fromEpoch, objections)) once(line)
      const { record } = report
      if (record && record.epoch > fromEpoch && hasStarted(record)) return report
      if (record && record.epoch === fromEpoch && !report.candidate) {
        throw new PeerError('ERR_SWAP_CANCELLED', `the swap was cancelled; ${record.engine} ${record.version} went on all the while`, {
          details: { objections },
          ...(objections.length > 0 ? {} : { hint: 'no validator says why; if no operator called it off, see the logs of the validators' }),
        })
      }
      await sleep(LOOK_EVERY_MS)
    }
  }

  /** How far a swap is that has begun. Throws ERR_SWAP_LOST if the validator is gone: the swap is not. */
  private async watched(): Promise<SuccessionReport> {
    try {
      return await this.succession()
    } catch (error) {
      if (!isRpcError(error)) throw error
      throw new PeerError('ERR_SWAP_LOST', `the validator no longer answers: ${rpcDetails(error)}`, {
        cause: error,
        hint: 'the swap goes on without this command, or is cancelled: peer consensus history at any validator says which engine orders, peer consensus status whether the swap is still under way',
      })
    }
  }
}

/** A swap to be followed: the epoch in which it was proposed, and its identity. */
export interface FollowedSwap {
  readonly fromEpoch: bigint
  readonly candidate: Uint8Array
}

interface Objection {
  readonly validator: string
  readonly reason: string
}

function objectionsTo(candidate: Uint8Array, { objections, record }: SuccessionReport): Objection[] {
  return objections
    .filter((objection) => Buffer.compare(objection.candidate, candidate) === 0)
    .map(({ member, reason }) => ({ validator: record?.members[member] ?? String(member), reason }))
}

function progressOf({ record, candidate, crossed }: SuccessionReport, fromEpoch: bigint, objections: readonly Objection[]): string[] {
  if (!record) return []
  const idOf = (member: number): string => record.members[member] ?? String(member)
  const lines: string[] = []
  if (candidate?.proposal && record.epoch === fromEpoch) {
    const { readies, preparedIn, proposal } = candidate
    lines.push(`prepared in block ${preparedIn}: ${proposal.engine} ${proposal.version} is on trial beside ${record.engine}`)
    lines.push(...readies.map(({ member }) => `${idOf(member)} is ready`))
  }
  const silent = (candidate?.cancels ?? []).map(idOf).filter((id) => !objections.some(({ validator }) => validator === id))
  lines.push(...objections.map(({ validator, reason }) => `${validator} gives up: ${reason}`), ...silent.map((id) => `${id} gives up`))
  if (record.epoch <= fromEpoch) return lines
  lines.push(`decided: epoch ${record.epoch} with ${record.engine} ${record.version} begins after block ${record.activation}`)
  lines.push(...crossed.map((member) => `${idOf(member)} has crossed`), ...record.started.map((member) => `${idOf(member)} runs ${record.engine}`))
  return lines
}

/** As chaincode says that it failed (spec/chaincode.md); here the reason alone is of interest. */
const FAILURE = 'Transaction or query returned with failure: '
const SIGNING =
  'with the keys at hand: --key FILE for each operator. Else: --out FILE, then peer consensus sign FILE --key KEY by one after the other, then peer consensus swap (or cancel) --plan FILE'

/** To whoever would cancel what is decided. */
export const TOO_LATE = 'a swap that is decided is not called off; another one goes back: peer consensus swap ENGINE'

function rejected(what: string, error: string, late?: string): PeerError {
  const reason = error.startsWith(FAILURE) ? error.slice(FAILURE.length) : error
  const hint = reason.includes('consensus.policy is operators') ? SIGNING : reason.startsWith('asked for in epoch') ? late : undefined
  return new PeerError('ERR_SWAP_REJECTED', `${what} was rejected: ${reason}`, hint === undefined ? {} : { hint })
}

/** `raft` or `raft@1.1.0`; without a version that is empty. */
export function namedEngine(written: string): { readonly engine: string; readonly version: string } {
  const at = written.lastIndexOf('@')
  if (at === written.length - 1 && at > 0) throw new PeerError('ERR_USAGE', `expected a version after '@', such as ${written}1.1.0; found '${written}'`)
  return at > 0 ? { engine: written.slice(0, at), version: written.slice(at + 1) } : { engine: written, version: '' }
}

/** An epoch for `--json`. */
export function epochJson(record: EpochRecord): object {
  const { candidate, options, members, started, missing, ...rest } = record
  const named = (indexes: readonly number[]): string[] => indexes.map((index) => members[index] ?? String(index))
  return {
    ...rest,
    members,
    options: JSON.parse(options === '' ? '{}' : options),
    started: named(started),
    missing: named(missing),
    candidate: hex(candidate),
  }
}
