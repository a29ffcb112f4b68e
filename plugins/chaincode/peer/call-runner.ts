import type { CallCounters, ChaincodeCounters } from '../counters.js'
import type { CallResult, ChaincodeRuntime } from '../runtime.js'
import type { Clock } from '../../../kernel/index.js'
import type { ChaincodeCall } from './chaincode-call.js'
import { isLocalFault, starvedError, timeoutError } from './errors.js'
import type { ChaincodeSupportOptions } from './options.js'
import type { RunningChaincodes } from './running.js'
import { texts } from './texts.js'
import { TimeLimit } from './time-limit.js'

/** Runs an invoke or query within the time limit, and notes in its execution what went wrong on this machine. */
export class CallRunner {
  /** Clients' queries in flight on each runtime. */
  private readonly queries = new WeakMap<ChaincodeRuntime, number>()
  private readonly limit: TimeLimit
  private readonly clock: Clock
  private readonly counters: ChaincodeCounters | undefined

  constructor(
    { clock, settings, counters }: ChaincodeSupportOptions,
    private readonly running: RunningChaincodes,
  ) {
    this.clock = clock
    this.counters = counters
    this.limit = new TimeLimit(clock, settings.executeTimeoutMs)
  }

  /** Rejects if the chaincode went away or took too long; after a time-out it is given up, as it is in an unknown state (spec/chaincode.md §5.9). */
  async run(call: ChaincodeCall, runtime: ChaincodeRuntime): Promise<CallResult> {
    const { isQuery } = call.execution
    const counted = isQuery ? this.counters?.query : this.counters?.invoke
    const beganMs = counted === undefined ? 0 : this.clock.elapsedMs()
    let isExpired = false
    let result: CallResult | undefined
    if (isQuery) this.count(runtime, 1)
    try {
      result = await this.limit.hold(runtime.call(call), () => {
        isExpired = true
        return !isQuery && this.isStarved(call, runtime) ? starvedError(texts.executeTimeout) : timeoutError(texts.executeTimeout)
      })
      return result
    } catch (cause) {
      if (isExpired) this.giveUp(call, runtime)
      if (isLocalFault(cause)) call.execution.lost ??= cause
      throw cause
    } finally {
      if (isQuery) this.count(runtime, -1)
      if (counted !== undefined) tally(counted, this.clock.elapsedMs() - beganMs, isExpired, result)
      const ended = call.end()
      if (ended) await ended
    }
  }

  private count(runtime: ChaincodeRuntime, change: 1 | -1): void {
    this.queries.set(runtime, (this.queries.get(runtime) ?? 0) + change)
  }

  /** Whether queries may be why a transaction got no answer: one that loops keeps its whole process busy. */
  private isStarved(call: ChaincodeCall, runtime: ChaincodeRuntime): boolean {
    return [runtime, ...call.execution.callees].some((each) => (this.queries.get(each) ?? 0) > 0)
  }

  /** A client's query must not cost a chaincode that only its user can start again; everything else ends who took too long. */
  private giveUp(call: ChaincodeCall, runtime: ChaincodeRuntime): void {
    if (!call.execution.isQuery || runtime.forget === undefined) return this.endAll(call, runtime)
    runtime.forget(call.txid)
    if (call.callers.length === 0) call.execution.abandon()
  }

  /** Ends the chaincode that took too long, and whoever worked for it: the callees' outcome cannot be waited for any more. */
  private endAll(call: ChaincodeCall, runtime: ChaincodeRuntime): void {
    const reason = `${texts.executeTimeout} ${call.txid}`
    this.running.end(runtime, reason)
    if (call.callers.length === 0) this.running.abandon(call.execution, reason)
  }
}

function tally(counted: CallCounters, elapsedMs: number, isExpired: boolean, result: CallResult | undefined): void {
  counted.durations.add(elapsedMs)
  if (isExpired) counted.timedOut++
  else if (result === undefined) counted.broken++
  else if (result.ok) counted.succeeded++
  else counted.failed++
}
