import { status } from '@grpc/grpc-js'
import { PeerError } from '../../kernel/index.js'
import type { LedgerInfo, LedgerToolsService, ServiceHandlers, VerifyReply } from '../../proto/index.js'
import { streaming, unary } from '../grpc/index.js'
import { exportTo } from './archive/serve.js'
import type { OpenLedger } from './inspectable-ledger.js'
import { requireLocal } from './inspect/require-local.js'
import { getBlock, getState, getTransaction, listState } from './inspect/lookup.js'
import type { VerifyReport } from './ledger.js'
import type { SyncableLedger } from './ledger-sync.js'

/** What the call of `Verify` has to offer; a part of grpc-js's stream. */
interface VerifyCall {
  readonly cancelled: boolean
  write(reply: VerifyReply): boolean
}

/**
 * `/weft.LedgerTools` of a running peer. Verifying and exporting read everything there is: one of each runs at a time. All but `Info` is for callers of
 * this machine unless `allowRemote`.
 */
export function ledgerTools(ledger: OpenLedger, { allowRemote }: { readonly allowRemote: boolean }): ServiceHandlers<typeof LedgerToolsService> {
  const verifying = oneAtATime('a verification')
  const exporting = oneAtATime('an export')
  return {
    info: unary(async () => infoOf(ledger)),
    verify: streaming(async (call) => {
      requireLocal(call, allowRemote)
      // The request stream carries one request, which says nothing: read it away, so that its end is seen.
      call.resume()
      await verifying(() => verifyFor(call, ledger))
    }),
    export: streaming(async (call) => {
      requireLocal(call, allowRemote)
      call.resume()
      await exporting(() => exportTo(call, ledger))
    }),
    getBlock: unary(async (query, call) => {
      requireLocal(call, allowRemote)
      return getBlock(ledger, query)
    }),
    getTransaction: unary(async (query, call) => {
      requireLocal(call, allowRemote)
      return getTransaction(ledger, query)
    }),
    getState: unary(async (query, call) => {
      requireLocal(call, allowRemote)
      return getState(ledger, query)
    }),
    listState: unary(async (query, call) => {
      requireLocal(call, allowRemote)
      return listState(ledger, query)
    }),
  }
}

/** What `peer ledger info` shows. */
export function infoOf(ledger: SyncableLedger): LedgerInfo {
  const stateBlock = ledger.stateBlock()
  return { ...ledger.info(), stateHash: ledger.stateHash() ?? new Uint8Array(0), stateHeight: stateBlock === undefined ? 0n : stateBlock + 1n }
}

function oneAtATime(what: string): (work: () => Promise<void>) => Promise<void> {
  let isRunning = false
  return async (work) => {
    if (isRunning) {
      throw new PeerError('ERR_LEDGER_BUSY', `${what} is running already`, {
        hint: 'wait until it has ended',
        grpcStatus: status.RESOURCE_EXHAUSTED,
        retryable: true,
      })
    }
    isRunning = true
    try {
      await work()
    } finally {
      isRunning = false
    }
  }
}

async function verifyFor(call: VerifyCall, ledger: SyncableLedger): Promise<void> {
  let sent = -1n
  const report = await ledger.verify((done, total) => {
    if (call.cancelled) throw new PeerError('ERR_LEDGER_CANCELLED', 'the client has gone', { grpcStatus: status.CANCELLED })
    if (done === sent) return
    sent = done
    call.write({ done, total, result: undefined })
  })
  call.write({ done: report.height, total: report.height, result: resultOf(report) })
}

function resultOf({ height, blocksChecked, keysChecked, faults }: VerifyReport): VerifyReply['result'] {
  return { height, blocksChecked, keysChecked, faults: faults.map(({ where, what }) => ({ where, what })) }
}
