import { describe, expect, it } from 'vitest'
import type { Moment } from '../../kernel/index.js'
import { Block, BlockchainInfo, TransactionResult as ResultMessage, decode, encode } from '../../proto/index.js'
import {
  StateDelta,
  type SyncableLedger,
  blockHash,
  compositeKey,
  createLedger,
  decodeDelta,
  encodeDelta,
  splitCompositeKey,
} from '../../plugins/ledger/index.js'
import type { ExecutedTransaction, LedgerBatch } from '../../plugins/ledger/index.js'
import { FakeStore } from './fake-store.js'
import { collect, fixedClock, hex, hexOfPresent, text, unhex, vector } from './kit.js'

interface Info {
  readonly currentBlockHashHex: string | null
  readonly height: number
  readonly previousBlockHashHex: string | null
}

interface DeltaEntry {
  readonly chaincodeIDHex: string
  readonly keyHex: string
  readonly previousValueHex: string | null
  readonly valueHex: string | null
}

interface ChainBlock {
  readonly number: number
  readonly note: string
  readonly blockHashHex: string
  readonly blockchainInfoAfter: Info
  readonly previewBlockchainInfo?: Info
  readonly consensusMetadataHex: string | null
  readonly storedBlockHex: string
  readonly storedStateDeltaHex: string
  readonly stateDeltaEntries: DeltaEntry[]
  readonly stateHashHex: string | null
  readonly tempStateHashHex?: string | null
  readonly executed?: {
    ops: { chaincodeID: string; key: string; op: string; valueHex?: string }[]
    success: boolean
    transactionHex: string
    transactionResultHex: string
    txid: string
  }[]
}

interface ChainVector {
  readonly blocks: ChainBlock[]
  readonly finalDatabase: {
    blockchainCF_blockCountHex: string
    indexesCF: { keyHex: string; valueHex: string }[]
    stateCF: { keyHex: string; valueHex: string }[]
    stateDeltaCF_keysHex: string[]
    verifyChain_7_0: number
  }
  readonly snapshotAtHead: { blockNumber: number; pieces: { deltaHex: string; sequence: number }[] }
}

const chain = vector('chain.json', (json): ChainVector => JSON.parse(json))
const SETTINGS = { deltaHistorySize: 3 }

const asVector = ({ height, currentBlockHash, previousBlockHash }: BlockchainInfo): Info => ({
  height: Number(height),
  currentBlockHashHex: hexOfPresent(currentBlockHash),
  previousBlockHashHex: hexOfPresent(previousBlockHash),
})

/** The address rows (first byte 03) of the original: nothing reads them, so Weft writes none. */
const withoutAddresses = (rows: readonly { keyHex: string; valueHex: string }[]) => rows.filter(({ keyHex }) => !keyHex.startsWith('03'))

const commitTime = (block: ChainBlock): Moment => {
  const time = decode(Block, unhex(block.storedBlockHex)).nonHashData?.localLedgerCommitTimestamp
  return { seconds: time?.seconds ?? 0n, nanos: time?.nanos ?? 0 }
}

/** Runs what the vector says was executed; each transaction's writes are dropped if it failed. */
function execute(batch: LedgerBatch, block: ChainBlock): ExecutedTransaction[] {
  return (block.executed ?? []).map(({ ops, success, transactionHex, transactionResultHex, txid }) => {
    const transaction = batch.begin(txid)
    for (const { chaincodeID, key, op, valueHex } of ops) {
      if (op === 'put') transaction.put(text(chaincodeID), text(key), unhex(valueHex ?? ''))
      else transaction.delete(text(chaincodeID), text(key))
    }
    transaction.finish(success)
    const { chaincodeEvent, error } = decode(ResultMessage, unhex(transactionResultHex))
    return { bytes: unhex(transactionHex), result: { txid, ...(chaincodeEvent && { event: chaincodeEvent }), ...(success ? {} : { error }) } }
  })
}

async function wholeChain(): Promise<{ ledger: SyncableLedger; store: FakeStore }> {
  const store = new FakeStore()
  const times = chain.blocks.map(commitTime)
  const clock = { now: () => times.shift() ?? { seconds: 0n, nanos: 0 } }
  const ledger = await createLedger({ store, clock, settings: SETTINGS, genesis: true })
  for (const block of chain.blocks.slice(1)) {
    const batch = ledger.openBatch()
    await batch.commit(execute(batch, block), block.consensusMetadataHex === null ? undefined : unhex(block.consensusMetadataHex))
  }
  return { ledger, store }
}

const deltaEntries = (bytes: Uint8Array): DeltaEntry[] =>
  [...decodeDelta(bytes).groups.values()].flatMap(({ chaincode, entries }) =>
    Array.from(entries.values(), ({ key, value, previousValue }) => ({
      chaincodeIDHex: hex(chaincode) ?? '',
      keyHex: hex(key) ?? '',
      previousValueHex: hex(previousValue),
      valueHex: hex(value),
    })),
  )

const sorted = (entries: readonly DeltaEntry[]) => entries.map((entry) => JSON.stringify(entry, Object.keys(entry).sort())).sort()

describe('a chain of eight blocks', () => {
  it('is the same as on the original after every block', async () => {
    const store = new FakeStore()
    const times = chain.blocks.map(commitTime)
    const ledger = await createLedger({
      store,
      clock: { now: () => times.shift() ?? commitTime(chain.blocks[0] ?? expect.fail()) },
      settings: SETTINGS,
      genesis: true,
    })
    for (const block of chain.blocks) {
      if (block.number > 0) {
        const metadata = block.consensusMetadataHex === null ? undefined : unhex(block.consensusMetadataHex)
        const batch = ledger.openBatch()
        const executed = execute(batch, block)
        expect(hex(await batch.stateHash())).toBe(block.tempStateHashHex)
        expect(asVector(await batch.preview(executed, metadata))).toEqual(block.previewBlockchainInfo)
        await batch.commit(executed, metadata)
      }
      const number = BigInt(block.number)
      expect(hex(ledger.blockBytes(number))).toBe(block.storedBlockHex)
      expect(asVector(ledger.info())).toEqual(block.blockchainInfoAfter)
      expect(hex(ledger.stateHash())).toBe(block.stateHashHex)
      const delta = ledger.stateDelta(number) ?? expect.fail('no delta')
      expect(delta.length).toBe(block.storedStateDeltaHex.length / 2)
      expect(sorted(deltaEntries(delta))).toEqual(sorted(block.stateDeltaEntries))
      expect(hex(blockHash(unhex(block.storedBlockHex)))).toBe(block.blockHashHex)
    }
  })

  it('leaves the rows of the original', async () => {
    const { store, ledger } = await wholeChain()
    const { finalDatabase } = chain
    expect(store.hexRows('state-0')).toEqual(finalDatabase.stateCF)
    expect(store.hexRows('indexes')).toEqual(withoutAddresses(finalDatabase.indexesCF))
    expect(store.hexRows('deltas').map(({ keyHex }) => keyHex)).toEqual(finalDatabase.stateDeltaCF_keysHex)
    expect(store.hexRows('blocks').at(-1)?.valueHex).toBe(finalDatabase.blockchainCF_blockCountHex)
    expect(await ledger.verifyChain(7n, 0n)).toBe(BigInt(finalDatabase.verifyChain_7_0))
  })

  it('serves its state as a snapshot in the order of the original', async () => {
    const { ledger } = await wholeChain()
    const snapshot = ledger.stateSnapshot()
    const pieces = (await collect(snapshot.entries)).map(([composite, value]) => {
      const { chaincode, key } = splitCompositeKey(composite)
      const delta = new StateDelta()
      delta.set(chaincode, key, value, undefined)
      return hex(encodeDelta(delta))
    })
    await snapshot.release()
    expect(snapshot.block).toBe(BigInt(chain.snapshotAtHead.blockNumber))
    expect(pieces).toEqual(chain.snapshotAtHead.pieces.map(({ deltaHex }) => deltaHex).filter((piece) => piece !== ''))
  })

  it('is found sound by verify', async () => {
    const { ledger } = await wholeChain()
    const report = await ledger.verify()
    expect(report.faults).toEqual([])
    expect(report.blocksChecked).toBe(8n)
  })

  it('opens again as it was closed', async () => {
    const { ledger, store } = await wholeChain()
    const again = await createLedger({ store: store.copy(), clock: fixedClock, settings: SETTINGS, genesis: true })
    expect(again.info()).toEqual(ledger.info())
    expect(hex(again.stateHash())).toBe(hex(ledger.stateHash()))
  })

  it('is rebuilt by raw blocks and deltas with the same rows', async () => {
    interface Replay {
      readonly steps: {
        action: string
        number?: number
        blockchainInfoAfter?: Info
        missingBlocks?: number[]
        verifyChain_7_0?: number
        stateHashHex?: string | null
        expectedStateHashHex?: string
        deltaHex?: string
      }[]
      readonly finalIndexesCF: { keyHex: string; valueHex: string }[]
      readonly finalStateCF: { keyHex: string; valueHex: string }[]
    }
    const replay = vector('chain_replay_by_sync.json', (json): Replay => JSON.parse(json))
    const store = new FakeStore()
    const ledger = await createLedger({ store, clock: fixedClock, settings: SETTINGS, genesis: true })
    for (const step of replay.steps) {
      const block = chain.blocks[step.number ?? -1] ?? expect.fail(`no block for ${JSON.stringify(step)}`)
      if (step.action === 'putRawBlock') {
        await ledger.putRawBlocks([{ number: BigInt(block.number), bytes: unhex(block.storedBlockHex) }])
      } else {
        const change = await ledger.applyStateDelta(unhex(block.storedStateDeltaHex))
        expect(hex(change.stateHash)).toBe(block.stateHashHex)
        await change.commit(BigInt(block.number))
      }
      if (step.blockchainInfoAfter) expect(asVector(ledger.info())).toEqual(step.blockchainInfoAfter)
      for (const missing of step.missingBlocks ?? []) expect(ledger.blockBytes(BigInt(missing))).toBeUndefined()
      if (step.verifyChain_7_0 !== undefined) expect(await ledger.verifyChain(7n, 0n)).toBe(BigInt(step.verifyChain_7_0))
    }
    expect(store.hexRows('state-0')).toEqual(replay.finalStateCF)
    expect(store.hexRows('indexes')).toEqual(withoutAddresses(replay.finalIndexesCF))
    expect(store.hexRows('deltas').map(({ keyHex }) => keyHex)).toEqual(['0000000000000000'])
    // Whichever way the blocks came: the latest transaction of an id that repeats.
    const { ledger: executed } = await wholeChain()
    const repeated = chain.blocks.flatMap(({ storedBlockHex }) => decode(Block, unhex(storedBlockHex)).transactions.map(({ txid }) => txid))
    expect(new Set(repeated).size).toBeLessThan(repeated.length)
    expect(repeated.map((txid) => ledger.locate(txid))).toEqual(repeated.map((txid) => executed.locate(txid)))
  })
})

describe('genesis', () => {
  it('is the genesis block of the original', async () => {
    interface Genesis {
      readonly blockHashHex: string
      readonly blockCountValueHex: string
      readonly blockHashIndexKeyHex: string
      readonly blockHashIndexValueHex: string
      readonly blockchainInfoAfter: Info
      readonly storedBlockExampleHex: string
      readonly storedStateDeltaHex: string
    }
    const genesis = vector('genesis.json', (json): Genesis => JSON.parse(json))
    const time = commitTime({ ...(chain.blocks[0] ?? expect.fail()), storedBlockHex: genesis.storedBlockExampleHex })
    const store = new FakeStore()
    const ledger = await createLedger({ store, clock: { now: () => time }, genesis: true })
    expect(hex(ledger.blockBytes(0n))).toBe(genesis.storedBlockExampleHex)
    expect(hex(ledger.stateDelta(0n))).toBe(genesis.storedStateDeltaHex)
    expect(asVector(ledger.info())).toEqual(genesis.blockchainInfoAfter)
    expect(store.hexRows('indexes')).toEqual([{ keyHex: genesis.blockHashIndexKeyHex, valueHex: genesis.blockHashIndexValueHex }])
    expect(ledger.stateHash()).toBeUndefined()
  })

  it('is not made by a peer that does not validate', async () => {
    const ledger = await createLedger({ store: new FakeStore(), clock: fixedClock })
    expect(hex(encode(BlockchainInfo, ledger.info()))).toBe('')
  })
})

describe('a block hash', () => {
  it('is that of the original for every block, and bytes that it refuses are refused', () => {
    interface Hashes {
      readonly cases: { blockHex: string; blockHashHex?: string | null; note: string }[]
    }
    for (const { blockHex, blockHashHex, note } of vector('block_hash.json', (json): Hashes => JSON.parse(json)).cases) {
      if (blockHashHex) expect(hex(blockHash(unhex(blockHex))), note).toBe(blockHashHex)
      else expect(() => blockHash(unhex(blockHex)), note).toThrow()
    }
  })
})

describe('blockchain info', () => {
  it('is serialised as the original does', () => {
    interface Infos {
      readonly cases: { base64: string; marshalledHex: string; height: number; currentBlockHashHex: string | null; previousBlockHashHex: string | null }[]
    }
    for (const info of vector('blockchain_info.json', (json): Infos => JSON.parse(json)).cases) {
      const bytes = encode(BlockchainInfo, {
        height: BigInt(info.height),
        currentBlockHash: unhex(info.currentBlockHashHex ?? ''),
        previousBlockHash: unhex(info.previousBlockHashHex ?? ''),
      })
      expect(hex(bytes)).toBe(info.marshalledHex)
      expect(Buffer.from(bytes).toString('base64')).toBe(info.base64)
    }
  })
})

describe('a composite key', () => {
  it('splits at the first zero byte', () => {
    expect(splitCompositeKey(compositeKey(text('cc'), unhex('610062')))).toEqual({ chaincode: text('cc'), key: unhex('610062') })
  })
})
