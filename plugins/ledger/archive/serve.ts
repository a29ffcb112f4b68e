import { once } from 'node:events'
import { status } from '@grpc/grpc-js'
import { PeerError } from '../../../kernel/index.js'
import type { ExportReply } from '../../../proto/index.js'
import type { OpenLedger } from '../inspectable-ledger.js'
import type { ExportProgress } from './write.js'

/** A client that takes nothing for so long is given up: the store keeps all that the export still has to read. */
const STALLED_MS = 60_000

/** What the call of `Export` has to offer; a part of grpc-js's stream. */
export interface ExportCall extends NodeJS.EventEmitter {
  readonly cancelled: boolean
  write(reply: ExportReply): boolean
}

/** Sends the archive of a ledger no faster than the client takes it. Throws ERR_LEDGER_CANCELLED, ERR_LEDGER_STALLED. */
export async function exportTo(call: ExportCall, ledger: OpenLedger, stalledMs = STALLED_MS): Promise<void> {
  let progress: ExportProgress = { blocks: 0n, height: 0n, keys: 0n }
  for await (const bytes of ledger.exportArchive((now) => (progress = now))) {
    if (call.cancelled) throw gone()
    if (!call.write({ bytes, ...progress })) await drained(call, stalledMs)
  }
}

async function drained(call: ExportCall, stalledMs: number): Promise<void> {
  const giveUp = new AbortController()
  const timer = setTimeout(() => giveUp.abort(), stalledMs)
  const { signal } = giveUp
  try {
    await Promise.race([once(call, 'drain', { signal }), once(call, 'cancelled', { signal })])
  } catch (thrown) {
    if (!signal.aborted) throw thrown
    throw new PeerError('ERR_LEDGER_STALLED', `the client took nothing for ${stalledMs / 1000} s`, { grpcStatus: status.DEADLINE_EXCEEDED })
  } finally {
    clearTimeout(timer)
    giveUp.abort()
  }
  if (call.cancelled) throw gone()
}

function gone(): PeerError {
  return new PeerError('ERR_LEDGER_CANCELLED', 'the client has gone', { grpcStatus: status.CANCELLED })
}
