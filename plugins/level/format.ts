import { PeerError } from '../../kernel/index.js'
import { type Backend, SYNCED } from './backend.js'
import { corrupt, writeError } from './errors.js'
import { prefixOf, prefixed } from './prefix.js'

/** Layout of the store that this version reads and writes. */
export const STORE_FORMAT = 1

/** Namespace number of the store's own records. */
export const OWN_NUMBER = 0

const FORMAT_KEY = prefixed(prefixOf(OWN_NUMBER), Buffer.from('format'))

/**
 * Checks the format record of an open database, or writes it (synced) if the database is empty.
 * Throws ERR_STORE_FORMAT for another format, or for data that Weft has not written, and ERR_STORE_CORRUPT for a record that makes no sense.
 */
export async function checkFormat(db: Backend, writtenBy: string): Promise<void> {
  const record = db.getSync(FORMAT_KEY)
  if (record !== undefined) return refuseOther(record, writtenBy)
  if ((await db.keys({ limit: 1 }).all()).length > 0) {
    throw new PeerError('ERR_STORE_FORMAT', `expected a store of Weft with a format record (format ${STORE_FORMAT}), found a database without one`, {
      details: { expected: STORE_FORMAT },
      hint: 'point peer.fileSystemPath at a directory of this peer alone',
    })
  }
  const written = Buffer.from(JSON.stringify({ format: STORE_FORMAT, writtenBy }))
  try {
    await db.batch().put(FORMAT_KEY, written).write(SYNCED)
  } catch (cause) {
    throw writeError(cause)
  }
}

function refuseOther(record: Uint8Array, running: string): void {
  const { format, writtenBy } = parse(record)
  if (format === STORE_FORMAT) return
  const newer = format > STORE_FORMAT
  throw new PeerError('ERR_STORE_FORMAT', `expected a store of format ${STORE_FORMAT} (${running}), found format ${format}, written by ${writtenBy}`, {
    details: { expected: STORE_FORMAT, found: format, writtenBy },
    hint: newer
      ? `run ${writtenBy} or a later version on this directory`
      : 'run the version that wrote it, or move the directory away and let the peer fetch the ledger from the others',
  })
}

function parse(record: Uint8Array): { format: number; writtenBy: string } {
  const text = Buffer.from(record).toString()
  const found: unknown = parseJson(text)
  if (typeof found === 'object' && found !== null && 'format' in found && typeof found.format === 'number') {
    return { format: found.format, writtenBy: 'writtenBy' in found ? String(found.writtenBy) : 'an unknown version' }
  }
  throw corrupt('reading its format record', new Error(`expected an object with a number "format", found ${text.slice(0, 100)}`))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw corrupt('reading its format record', cause)
  }
}
