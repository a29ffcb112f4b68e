import { PeerError } from '../../kernel/index.js'
import type { RequestOutcomeReport } from '../consensus/index.js'

/** Request header by which a client of `Devops.Deploy` and `Devops.Invoke` asks to be answered after the outcome. Unknown to v0.6. */
export const WAIT = 'weft-wait'
/** Response header that carries the outcome. */
export const OUTCOME = 'weft-outcome'

/** A header list above a client's limit would never reach it, and stall its connection; the text of a rejection may hold what anybody sent. */
const MAX_ERROR_LENGTH = 4000

/** Writes an outcome as a header value: `committed <block> <index>` or `rejected <block> <URI-encoded error>`, the error cut if it is long. */
export function outcomeMetadata(outcome: RequestOutcomeReport): string {
  return outcome.status === 'committed' ? `committed ${outcome.block} ${outcome.index}` : `rejected ${outcome.block} ${encodedStart(outcome.error)}`
}

/** As many whole characters as fit. */
function encodedStart(text: string): string {
  let encoded = ''
  for (const character of Buffer.from(text.slice(0, MAX_ERROR_LENGTH)).toString()) {
    const next = encodeURIComponent(character)
    if (encoded.length + next.length > MAX_ERROR_LENGTH) break
    encoded += next
  }
  return encoded
}

/** Reads what `outcomeMetadata` wrote. Throws ERR_OUTCOME_UNREADABLE for anything else. */
export function parseOutcome(value: string): RequestOutcomeReport {
  const [status, block, rest] = value.split(' ')
  if (block !== undefined && /^\d+$/.test(block) && rest !== undefined) {
    if (status === 'committed') return { status, block: BigInt(block), index: Number(rest) }
    if (status === 'rejected') return { status, block: BigInt(block), error: decodeURIComponent(rest) }
  }
  throw new PeerError('ERR_OUTCOME_UNREADABLE', `the peer answered with an outcome that cannot be read: ${value}`)
}
