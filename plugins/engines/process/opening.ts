import { pack } from '../codec.js'
import type { ToEngine } from '../messages.js'

const MAX_PIECE_BYTES = 1024 * 1024
const MAX_PIECE_RECORDS = 4096

/**
 * What a new engine is told first: its records, in frames of about a MiB or of one record, then `create`. Each frame is made when it is asked for: neither this
 * process nor the engine's ever holds all records a second time.
 */
export function* openingFrames(create: Extract<ToEngine, { type: 'create' }>, restored: ReadonlyMap<string, Uint8Array>): Generator<Uint8Array> {
  let piece: [string, Uint8Array][] = []
  let bytes = 0
  for (const record of restored) {
    const size = record[0].length + record[1].length
    if (piece.length > 0 && (bytes + size > MAX_PIECE_BYTES || piece.length >= MAX_PIECE_RECORDS)) {
      yield records(piece)
      piece = []
      bytes = 0
    }
    piece.push(record)
    bytes += size
  }
  if (piece.length > 0) yield records(piece)
  yield pack(create satisfies ToEngine)
}

function records(piece: [string, Uint8Array][]): Uint8Array {
  return pack({ type: 'records', records: piece } satisfies ToEngine)
}
