import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Peer, createSite } from '../../kernel/index.js'
import grpc from '../../plugins/grpc/index.js'
import { blockQuery } from '../../plugins/ledger/commands/block.js'
import ledger, { LEDGER, type OpenLedger, createLedger } from '../../plugins/ledger/index.js'
import { isLocal } from '../../plugins/grpc/local-caller.js'
import { requireLocal } from '../../plugins/ledger/inspect/require-local.js'
import { isoTime, jsonBytes, shown } from '../../plugins/ledger/inspect/shown.js'
import { listState } from '../../plugins/ledger/inspect/lookup.js'
import { transactionLines, transactionView } from '../../plugins/ledger/inspect/transaction-view.js'
import level, { openLevelStore, storeDirectory } from '../../plugins/level/index.js'
import { createLogging } from '../../plugins/logging/index.js'
import {
  ChaincodeDeploymentSpec,
  ChaincodeInvocationSpec,
  ChaincodeSpec_Type,
  ConfidentialityLevel,
  Transaction,
  Transaction_Type,
  encode,
} from '../../proto/index.js'
import { runPeer } from '../kernel/cli/run-peer.js'
import { tempSite } from '../kernel/config/temp-site.js'
import { put } from './archive-kit.js'
import { commitOperations, fixedClock, newLedger, text } from './kit.js'

const spec = (name: string, args: readonly Uint8Array[], more: object = {}) => ({
  chaincodeSpec: { chaincodeID: { name }, ctorMsg: { args: [...args] }, ...more },
})

const INVOKE = Transaction.fromPartial({
  type: Transaction_Type.CHAINCODE_INVOKE,
  txid: 'invoke-1',
  timestamp: { seconds: 1466000000n, nanos: 7 },
  payload: encode(ChaincodeInvocationSpec, ChaincodeInvocationSpec.fromPartial(spec('mycc', [text('pay'), text('\u001b[31mred'), Buffer.from([0xff, 0])]))),
})
const DEPLOY = Transaction.fromPartial({
  type: Transaction_Type.CHAINCODE_DEPLOY,
  txid: 'mycc',
  payload: encode(
    ChaincodeDeploymentSpec,
    ChaincodeDeploymentSpec.fromPartial({ ...spec('mycc', [text('init')], { type: ChaincodeSpec_Type.GOLANG }), codePackage: text('package') }),
  ),
})

/** Two blocks: a deploy; an invoke with an event and one that failed with an event. Keys that are text, empty values and bytes. */
async function fill(opened: OpenLedger): Promise<void> {
  const commit = async (transactions: readonly { readonly bytes: Uint8Array; readonly txid: string; readonly event?: string; readonly error?: string }[]) => {
    const batch = opened.openBatch()
    const executed = transactions.map(({ bytes, txid, event, error }) => {
      const state = batch.begin(txid)
      state.put(text('mycc'), text(`key of ${txid}`), text('value\n'))
      state.put(text('mycc'), Buffer.from([0, 0xff]), Buffer.from([0xfe, 0]))
      state.finish(error === undefined)
      return {
        bytes,
        result: {
          txid,
          ...(error === undefined ? {} : { error }),
          ...(event === undefined ? {} : { event: { chaincodeID: 'mycc', txID: txid, eventName: event, payload: text('happened') } }),
        },
      }
    })
    await batch.commit(executed, text('meta'))
  }
  await commit([{ bytes: encode(Transaction, DEPLOY), txid: 'mycc' }])
  await commit([
    { bytes: encode(Transaction, INVOKE), txid: 'invoke-1', event: 'paid' },
    { bytes: encode(Transaction, { ...INVOKE, txid: 'failed' }), txid: 'failed', event: 'refused', error: 'no' },
  ])
}

const silent = createLogging({ spec: 'critical', stream: { write: () => true } })

async function startOn(fileSystemPath: string): Promise<{ peer: Peer; address: string }> {
  const addresses: string[] = []
  const spy = {
    name: 'spy',
    requires: [LEDGER],
    apply: (host: Parameters<typeof ledger.apply>[0]) => host.hooks.start.tap(async ({ listeners }) => void addresses.push(listeners.get('peer').address)),
  }
  const site = createSite({ plugins: [grpc, level, ledger, spy] })
    .with('peer.fileSystemPath', fileSystemPath, 'test')
    .with('peer.listenAddress', '127.0.0.1:0', 'test')
  const peer = new Peer(site, { logging: silent })
  await peer.start()
  return { peer, address: addresses[0] ?? expect.fail('no address') }
}

describe('peer block, tx and state', () => {
  const path = mkdtempSync(join(tmpdir(), 'weft-ledger-'))
  let cwd = ''

  beforeAll(async () => {
    const store = await openLevelStore(storeDirectory(path))
    await fill(await createLedger({ store, clock: fixedClock, genesis: true }))
    await store.close()
  })
  beforeEach(() => {
    cwd = siteAt('127.0.0.1:1')
  })

  const siteAt = (address: string) =>
    tempSite({
      'peer.config.yaml': `plugins: [weft/plugins/grpc, weft/plugins/level, weft/plugins/ledger]\npeer:\n  fileSystemPath: ${path}\n  address: ${address}\n`,
    })
  const json = async (...args: string[]) => JSON.parse((await runPeer(cwd, [...args, '--json'])).stdout)

  it('shows a block with its transactions, and the events of those that failed', async () => {
    const { stdout, exit, stderr } = await runPeer(cwd, ['block', '2'])
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
    expect(stdout.replace(/[0-9a-f]{128}/g, 'HASH')).toBe(
      `block       2
hash        HASH
before      HASH
state       HASH
committed   2016-06-15T14:13:20.000000005Z
consensus   0x6d657461
size        ${String(/size +(\d+)/.exec(stdout)?.[1])} bytes, 1 transactions; 1 more failed and are in no block

INVOKE     invoke-1
  time        2016-06-15T14:13:20.000000007Z
  chaincode   mycc
  arg 0       pay
  arg 1       \\u{1b}[31mred
  arg 2       0xff00
  event       paid: happened

events of transactions that failed
  failed: event       refused: happened
`,
    )
    expect(await json('block', 'latest')).toEqual(await json('block', (await json('block', '2')).hash))
    expect(await json('block', '2')).toMatchObject({
      number: 2,
      executed: 2,
      transactions: [
        {
          txid: 'invoke-1',
          type: 'INVOKE',
          chaincode: 'mycc',
          args: ['pay', '\u001b[31mred', { hex: 'ff00' }],
          events: [{ chaincode: 'mycc', txid: 'invoke-1', name: 'paid', payload: 'happened' }],
        },
      ],
      otherEvents: [{ txid: 'failed', name: 'refused' }],
    })
  })

  it('shows a transaction, where it is, and what a deploy brings', async () => {
    expect(await json('tx', 'mycc')).toMatchObject({ block: 1, index: 0, type: 'DEPLOY', language: 'GOLANG', codePackageBytes: 7, args: ['init'] })
    expect((await runPeer(cwd, ['tx', 'invoke-1'])).stdout).toMatch(/^block {7}2, transaction 0\nblock hash {2}[0-9a-f]{128}\ncommitted {3}2016-06-15/)
  })

  it('shows a value as text, as hex, and byte for byte', async () => {
    expect((await runPeer(cwd, ['state', 'get', 'mycc', 'key of mycc'])).stdout).toBe('value\\n\n')
    expect((await runPeer(cwd, ['state', 'get', 'mycc', 'key of mycc', '--raw'])).stdout).toBe('value\n')
    expect((await runPeer(cwd, ['state', 'get', 'mycc', '00ff', '--key-hex'])).stdout).toBe('0xfe00\n')
    expect(await json('state', 'get', 'mycc', '0x00ff', '--key-hex')).toEqual({ chaincode: 'mycc', key: { hex: '00ff' }, value: { hex: 'fe00' }, block: 2 })
    expect((await runPeer(cwd, ['state', 'get', 'mycc', 'key of mycc', '--hex'])).stdout).toBe('76616c75650a\n')
  })

  it('lists keys in order, between bounds, up to a limit, and says how to go on', async () => {
    expect((await runPeer(cwd, ['state', 'list', 'mycc'])).stdout).toBe('0x00ff\t0xfe00\nkey of invoke-1\tvalue\\n\nkey of mycc\tvalue\\n\n')
    expect(await json('state', 'list', 'mycc', '--from', 'key of m', '--to', 'z')).toMatchObject({ entries: [{ key: 'key of mycc' }], more: false })
    const first = await runPeer(cwd, ['state', 'list', 'mycc', '--limit', '1'])
    const next = /--from (\S+) --key-hex/.exec(first.stderr)?.[1] ?? ''
    expect((await runPeer(cwd, ['state', 'list', 'mycc', '--limit', '1', '--from', next, '--key-hex'])).stdout).toBe('key of invoke-1\tvalue\\n\n')
    expect(await runPeer(cwd, ['state', 'list', 'nobody'])).toMatchObject({ exit: 0, stdout: '', stderr: expect.stringContaining('no keys') })
  })

  it('says what was expected where there is nothing, with exit code 1', async () => {
    const failures: readonly (readonly [string[], string])[] = [
      [['block', '3'], 'expected a block below the height 3, found 3'],
      [['block', 'ab'], "expected a block's number, its hash (128 hex digits) or latest"],
      [['block', 'a'.repeat(128)], 'no block has the hash'],
      [['tx', 'failed'], 'no block has a transaction "failed"'],
      [['state', 'get', 'mycc', 'none'], 'chaincode mycc has no key none at block 2'],
      [['state', 'get', 'mycc', 'abc', '--key-hex'], 'even number of hex digits'],
      [['state', 'list', 'mycc', '--limit', '0'], 'expected --limit between'],
    ]
    for (const [args, message] of failures)
      expect(await runPeer(cwd, args), args.join(' ')).toMatchObject({ exit: 1, stdout: '', stderr: expect.stringContaining(message) })
  })

  it('gives the same through a running peer, and exports the same archive', async () => {
    const commands = [
      ['block', 'latest'],
      ['block', '1', '--json'],
      ['block', '2', '--raw'],
      ['tx', 'invoke-1', '--json'],
      ['state', 'get', 'mycc', 'key of mycc'],
      ['state', 'list', 'mycc', '--json'],
      ['block', '9', '--json'],
      ['ledger', 'export', '-'],
    ]
    const offline = await inOrder(commands, (args) => runPeer(cwd, args))
    const { peer, address } = await startOn(path)
    try {
      const running = siteAt(address)
      expect(await inOrder(commands, (args) => runPeer(running, args))).toEqual(offline)
      expect(await runPeer(running, ['ledger', 'export', '-', '--offline'])).toMatchObject({ exit: 1, stdout: '' })
      expect(await runPeer(running, ['ledger', 'import', 'none'])).toMatchObject({ exit: 1, stderr: expect.stringContaining('expected no ledger in') })
    } finally {
      await peer.stop()
    }
  })

  it('says that there is neither a store nor a peer', async () => {
    const nowhere = ['--set', 'peer.fileSystemPath=/nowhere/at/all']
    expect(await runPeer(cwd, ['block', '1', ...nowhere])).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('expected a ledger in /nowhere/at/all, or a peer at 127.0.0.1:1'),
    })
  })
})

async function inOrder<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const item of items) results.push(await work(item))
  return results
}

describe('pages of the state', () => {
  it.each(['buckettree', 'trie', 'raw'] as const)('of a %s are bounded by keys and by bytes', async (structure) => {
    const { ledger: opened } = await newLedger({ structure, numBuckets: 26, maxGroupingAtEachLevel: 3 })
    const name = (index: number) => `k${String(index).padStart(4, '0')}`
    await commitOperations(
      opened,
      'many',
      Array.from({ length: 1500 }, (_, index) => put('cc', name(index), 'v')),
    )
    await commitOperations(
      opened,
      'large',
      Array.from({ length: 4 }, (_, index) => put('big', name(index), 'x'.repeat(400_000))),
    )
    const query = { chaincode: text('cc'), from: text(''), to: text(''), limit: 0 }
    const page = await listState(opened, query)
    expect(page).toMatchObject({ more: true, stateHeight: 3n })
    expect(page.entries.map(({ key }) => Buffer.from(key).toString())).toEqual(Array.from({ length: 1000 }, (_, index) => name(index)))
    expect((await listState(opened, { ...query, from: text(name(1000)) })).entries).toHaveLength(500)
    expect(await listState(opened, { ...query, chaincode: text('big') })).toMatchObject({ more: true, entries: [expect.anything(), expect.anything()] })
    for (const chaincode of ['', 'cc\0k'])
      await expect(listState(opened, { ...query, chaincode: text(chaincode) })).rejects.toMatchObject({ code: 'ERR_LEDGER_INVALID_ARGUMENT' })
  })
})

describe('what is shown of bytes from outside', () => {
  it('moves no cursor, hides nothing and has an end', () => {
    expect(shown(text('a\u001b]0;title\u0007\u202e\u0000b'))).toBe('a\\u{1b}]0;title\\u{7}\\u{202e}\\u{0}b')
    expect(shown(Buffer.from([0xc3, 0x28]))).toBe('0xc328')
    expect(shown(text('x'.repeat(100_000)))).toBe(`${'x'.repeat(300)}… (100000 bytes)`)
    expect(shown(Buffer.alloc(100_000, 255)).length).toBeLessThan(330)
    expect(jsonBytes(text('\ufeffé'))).toBe('\ufeffé')
    expect(isoTime({ seconds: 2n ** 62n, nanos: -5 })).toBe('4611686018427387904 s -5 ns')
  })

  it('is told of transactions that are encrypted or nonsense', () => {
    const view = (partial: object) => {
      const bytes = encode(Transaction, Transaction.fromPartial({ txid: 't', ...partial }))
      return { ...transactionView(bytes, []), lines: transactionLines(bytes, transactionView(bytes, [])) }
    }
    expect(view({ ...INVOKE, confidentialityLevel: ConfidentialityLevel.CONFIDENTIAL })).toMatchObject({
      unreadable: `encrypted, ${INVOKE.payload.length} bytes`,
    })
    expect(view({ type: Transaction_Type.CHAINCODE_INVOKE, payload: text('nonsense') })).toMatchObject({
      unreadable: expect.stringContaining('no chaincode call, 8 bytes'),
    })
    expect(view({ type: 77, cert: text('cert') })).toMatchObject({
      type: '77',
      lines: ['77         t', '  contents    no chaincode call, 0 bytes: 0x', '  signed      with a certificate of 4 bytes'],
    })
  })

  it('names blocks in three ways and no other', () => {
    expect(blockQuery('18446744073709551615')).toMatchObject({ number: 2n ** 64n - 1n, latest: false })
    expect(blockQuery('AB'.repeat(64)).hash).toHaveLength(64)
    for (const wrong of ['18446744073709551616', '-1', '1e3', '', 'ab', '0x1', 'g'.repeat(128)])
      expect(() => blockQuery(wrong)).toThrow("expected a block's number")
  })
})

describe('the ledger tools of a peer', () => {
  it('answer this machine alone, unless the site says otherwise', () => {
    for (const peer of ['127.0.0.1:5000', '127.3.2.1:9', '[::1]:4000', '::1:4000', '[::ffff:127.0.0.1]:77', 'unix:/run/x'])
      expect(isLocal(peer), peer).toBe(true)
    for (const peer of ['203.0.113.9:5000', '[2001:db8::1]:5', 'unknown', '']) expect(isLocal(peer), peer).toBe(false)
    const call = { getPeer: () => '203.0.113.9:5000' }
    expect(() => requireLocal(call, false)).toThrow('callers of its own machine alone')
    requireLocal(call, true)
  })
})
