import { status } from '@grpc/grpc-js'
import { PeerError } from '../../kernel/index.js'
import type { LedgerInfo, LedgerToolsService, ServiceHandlers, VerifyReply } from '../../proto/index.js'
import { streaming, unary } from '../grpc/index.js'
import type { VerifyReport } from './ledger.js'
import type { SyncableLedger } from './ledger-sync.js'

/** What the call of `Verify` has to offer; a part of grpc-js's stream. */
interface VerifyCall {
  readonly cancelled: boolean
  write(reply: VerifyReply): boolean
}

/** `/weft.LedgerTools` of a running peer. One verification runs at a time: it reads everything there is. */
export function ledgerTools(ledger: SyncableLedger): ServiceHandlers<typeof LedgerToolsService> {
  let isVerifying = false
  return {
    info: unary(async () => infoOf(ledger)),
    verify: streaming(async (call) => {
      if (isVerifying) {
        throw new PeerError('ERR_LEDGER_BUSY', 'a verification is running already', {
          hint: 'wait until it has ended',
          grpcStatus: status.RESOURCE_EXHAUSTED,
          retryable: true,
        })
      }
      isVerifying = true
      // The request stream carries one request, which says nothing: read it away, so that its end is seen.
      call.resume()
      try {
        await verifyFor(call, ledger)
      } finally {
        isVerifying = false
      }
    }),
  }
}

/** What `peer ledger info` shows. */
export function infoOf(ledger: SyncableLedger): LedgerInfo {
  const stateBlock = ledger.stateBlock()
  return { ...ledger.info(), stateHash: ledger.stateHash() ?? new Uint8Array(0), stateHeight: stateBlock === undefined ? 0n : stateBlock + 1n }
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
