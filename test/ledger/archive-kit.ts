import { createHash } from 'node:crypto'
import { type ArchiveHeader, decodeHeader, encodeEnd, encodeHeader } from '../../plugins/ledger/archive/header.js'
import { type BuildOptions, type BuildReport, buildLedger } from '../../plugins/ledger/archive/build.js'
import { type ArchiveRecord, readArchive } from '../../plugins/ledger/archive/read.js'
import { MAGIC, RECORD, frameHead, frameTail } from '../../plugins/ledger/archive/records.js'
import { type LedgerSettings, createLedger } from '../../plugins/ledger/index.js'
import { SHIPPED_SETTINGS } from '../../plugins/ledger/settings.js'
import { prefixedLength, writePrefixed } from '../../plugins/ledger/varint.js'
import { FakeStore } from './fake-store.js'
import { collect, commitOperations, fixedClock, newLedger } from './kit.js'

export const put = (chaincode: string, key: string, value: string) => ({
  chaincodeIDHex: Buffer.from(chaincode).toString('hex'),
  keyHex: Buffer.from(key).toString('hex'),
  op: 'put',
  valueHex: Buffer.from(value).toString('hex'),
})

/** A ledger of `blocks` blocks after the genesis block, each of which puts two keys. */
export async function ledgerOf(settings: Partial<LedgerSettings>, blocks = 4, chaincode = (block: number) => `cc${block % 2}`) {
  const { ledger, store } = await newLedger(settings)
  for (let block = 1; block <= blocks; block += 1) {
    await commitOperations(ledger, `tx-${block}`, [put(chaincode(block), `k${block}`, `value ${block}`), put(chaincode(block), 'hot', `${block}`)])
  }
  return { ledger, store, settings: { ...SHIPPED_SETTINGS, ...settings } }
}

export async function archiveOf(ledger: { exportArchive(): AsyncIterable<Uint8Array> }): Promise<Buffer> {
  return Buffer.concat(await collect(ledger.exportArchive()))
}

/** The bytes in pieces, as a file or a network gives them. */
export async function* pieces(bytes: Uint8Array, length = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

/** Imports into a fake store. */
export async function importInto(
  store: FakeStore,
  archive: Uint8Array,
  options: Omit<BuildOptions, 'settings'> & { readonly settings: LedgerSettings },
  maxRecordBytes?: number,
): Promise<BuildReport> {
  return buildLedger(store, readArchive(pieces(archive), maxRecordBytes === undefined ? {} : { maxRecordBytes }), options)
}

export async function imported(archive: Uint8Array, options: Omit<BuildOptions, 'settings'> & { readonly settings: LedgerSettings }) {
  const store = new FakeStore()
  const report = await importInto(store, archive, options)
  return { report, store, ledger: await createLedger({ store, clock: fixedClock, settings: options.settings }) }
}

/** A record as a forger writes it: kind and contents, the checksums will be right. */
export interface Forged {
  readonly kind: number
  readonly payload: Uint8Array
}

/** The records of an archive without the last one. */
export async function recordsOf(archive: Uint8Array): Promise<Forged[]> {
  const records: ArchiveRecord[] = await collect(readArchive(pieces(archive)))
  return records.flatMap((record) => (record.kind === 'end' ? [] : [{ kind: RECORD[record.kind], payload: record.payload }]))
}

/** An archive of these records with right checksums; `counts` of the last record as given. */
export function forge(records: readonly Forged[], counts: { readonly blocks: bigint; readonly keys: bigint }): Buffer {
  const frames = records.flatMap(({ kind, payload }) => {
    const head = frameHead(kind, payload.length)
    return [head, payload, frameTail(head, payload)]
  })
  const body = Buffer.concat([MAGIC, ...frames])
  const end = encodeEnd({ ...counts, sha256: createHash('sha256').update(body).digest('hex') })
  const head = frameHead(RECORD.end, end.length)
  return Buffer.concat([body, head, end, frameTail(head, end)])
}

/** The same records with another header. */
export function withHeader(records: readonly Forged[], change: Partial<ArchiveHeader>): Forged[] {
  return records.map((record) =>
    record.kind === RECORD.header ? { kind: record.kind, payload: encodeHeader({ ...decodeHeader(record.payload), ...change }) } : record,
  )
}

export function stateRecord(...entries: readonly (readonly [composite: string, value: string])[]): Forged {
  const bytes = entries.map(([composite, value]) => {
    const [key, stored] = [Buffer.from(composite, 'latin1'), Buffer.from(value, 'latin1')]
    const entry = Buffer.alloc(prefixedLength(key.length) + prefixedLength(stored.length))
    writePrefixed(entry, stored, writePrefixed(entry, key, 0))
    return entry
  })
  return { kind: RECORD.state, payload: Buffer.concat(bytes) }
}
