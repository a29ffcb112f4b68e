import type { Client } from '@grpc/grpc-js'
import { PeerError } from '../../../kernel/index.js'
import { callUnary, ConsensusToolsService, PlanSwapRequest, type SuccessionReport, type SwapCallReply, type SwapPlanMessage } from '../../../proto/index.js'
import { isRpcError } from '../../grpc/index.js'

/** What is asked of a validator of the network. */
export interface Validator {
  readonly id: string
  plan(request: Partial<PlanSwapRequest>, signal: AbortSignal): Promise<SwapPlanMessage>
  /** Has a proposal executed. Undefined: it was not ordered in time. */
  propose(proposal: Uint8Array, limitMs: number, signal: AbortSignal): Promise<SwapCallReply | undefined>
  /** Calls off the swap that is under way, if one is. False: that was not ordered in time. */
  cancel(limitMs: number, signal: AbortSignal): Promise<boolean>
  /** Undefined: it does not answer. */
  succession(signal: AbortSignal): Promise<SuccessionReport | undefined>
  /** Stops its engine for good, for a recovery with another one. */
  recover(engine: string, signal: AbortSignal): Promise<void>
}

const ANSWER_MS = 10_000
const [DEADLINE_EXCEEDED, FAILED_PRECONDITION, UNAVAILABLE] = [4, 9, 14]

/** A running validator. */
export function validatorAt(id: string, client: Client): Validator {
  const within = (limitMs: number, signal: AbortSignal) => ({ deadline: Date.now() + limitMs, signal })
  const named = (error: unknown): unknown => (isRpcError(error) ? new PeerError('ERR_DEV_VALIDATOR', `${id}: ${error.details}`, { cause: error }) : error)
  const answer = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (error) {
      throw named(error)
    }
  }
  /** Undefined if it fails with one of these codes. */
  const unless = async <T>(codes: readonly number[], work: Promise<T>): Promise<T | undefined> => {
    try {
      return await work
    } catch (error) {
      if (isRpcError(error) && codes.includes(error.code)) return undefined
      throw named(error)
    }
  }
  return {
    id,
    plan: (request, signal) =>
      answer(callUnary(client, ConsensusToolsService.planSwap, PlanSwapRequest.fromPartial({ ...request, allowWeaker: true }), within(ANSWER_MS, signal))),
    propose: (proposal, limitMs, signal) =>
      unless([DEADLINE_EXCEEDED], callUnary(client, ConsensusToolsService.proposeSwap, { proposal, signatures: new Uint8Array(0) }, within(limitMs, signal))),
    async cancel(limitMs, signal) {
      const planned = await unless([FAILED_PRECONDITION], callUnary(client, ConsensusToolsService.planCancel, {}, within(ANSWER_MS, signal)))
      if (!planned) return true
      const { cancellation } = planned
      // A rejected one came too late: the swap is decided or over, as whoever looks sees.
      const called = callUnary(client, ConsensusToolsService.cancelSwap, { cancellation, signatures: new Uint8Array(0) }, within(limitMs, signal))
      return (await unless([DEADLINE_EXCEEDED], called)) !== undefined
    },
    succession: (signal) =>
      unless([DEADLINE_EXCEEDED, UNAVAILABLE], callUnary(client, ConsensusToolsService.succession, { history: false }, within(ANSWER_MS, signal))),
    async recover(engine, signal) {
      await answer(callUnary(client, ConsensusToolsService.recover, { engine, version: '', options: '', acceptLoss: [] }, within(ANSWER_MS, signal)))
    },
  }
}
