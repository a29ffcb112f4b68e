import { describe, expect, it } from 'vitest'
import { PeerError } from '../../kernel/index.js'
import type { Accepted } from '../../plugins/consensus/index.js'
import { processTransaction } from '../../plugins/transactions/process-transaction.js'
import { readSubmission } from '../../plugins/transactions/submission.js'
import { Transaction, Transaction_Type, encode } from '../../proto/index.js'

const accepted: Accepted = { id: 'id', duplicate: false, outcome: async () => ({ status: 'committed', block: 1n, index: 0 }) }

function setup(options: { valid?: boolean; query?: () => Promise<Uint8Array>; submit?: () => Promise<Accepted> } = {}) {
  const submitted: string[] = []
  const queried: Transaction[] = []
  const parts = {
    consensus: {
      valid: options.valid ?? true,
      submit: async (bytes: Uint8Array): Promise<Accepted> => {
        submitted.push(Buffer.from(bytes).toString('hex'))
        return options.submit?.() ?? accepted
      },
    },
    chaincode: {
      query: async (transaction: Transaction): Promise<Uint8Array> => {
        queried.push(transaction)
        return options.query?.() ?? Buffer.from('42')
      },
    },
  }
  const send = async (bytes: Uint8Array): Promise<string> => Buffer.from(await processTransaction(readSubmission(Buffer.from(bytes)), parts)).toString('latin1')
  return { send, submitted, queried }
}

/** A transaction of any type, also of one that has no name. */
const bytesOf = (type: number, txid: string): Uint8Array =>
  Buffer.concat([Buffer.from(type === 0 ? [] : [8, type]), encode(Transaction, Transaction.fromPartial({ txid, payload: Buffer.from('p') }))])

describe('ProcessTransaction', () => {
  it.each([Transaction_Type.CHAINCODE_DEPLOY, Transaction_Type.CHAINCODE_INVOKE, Transaction_Type.CHAINCODE_TERMINATE, Transaction_Type.UNDEFINED, 77])(
    'hands type %i to consensus and answers its txid',
    async (type) => {
      const { send, submitted } = setup()
      expect(await send(bytesOf(type, 'a-txid'))).toBe('a-txid')
      expect(submitted).toEqual([Buffer.from(bytesOf(type, 'a-txid')).toString('hex')])
    },
  )

  it('takes the canonical bytes for the identity: unknown fields dropped, text that is not UTF-8 kept', async () => {
    const { send, submitted } = setup()
    // Out of order, an unknown field 99, a txid that is not UTF-8.
    expect(await send(Buffer.from('2a02ff419a0601550802', 'hex'))).toBe('\xff\x41')
    expect(submitted).toEqual(['08022a02ff41'])
  })

  it('executes a query at once, under an id that no client chooses', async () => {
    const { send, submitted, queried } = setup()
    expect(await send(bytesOf(Transaction_Type.CHAINCODE_QUERY, 'txid-of-a-running-transaction'))).toBe('42')
    expect(submitted).toEqual([])
    expect(queried[0]?.txid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(queried[0]?.payload).toEqual(new Uint8Array(Buffer.from('p')))
  })

  it('answers a failing query with `Error:` and the reason', async () => {
    const { send } = setup({ query: () => Promise.reject(new PeerError('ERR_TEST', 'no such thing 100%d')) })
    await expect(send(bytesOf(Transaction_Type.CHAINCODE_QUERY, 't'))).rejects.toThrow(/^Error:no such thing 100%d$/)
  })

  it('refuses queries while the state is known to be behind', async () => {
    const { send } = setup({ valid: false })
    await expect(send(bytesOf(Transaction_Type.CHAINCODE_QUERY, 't'))).rejects.toThrow(/^Error: state may be inconsistent, cannot query$/)
    expect(await send(bytesOf(Transaction_Type.CHAINCODE_INVOKE, 't'))).toBe('t')
  })

  it('refuses a transaction without a txid', async () => {
    const { send, submitted } = setup()
    await expect(send(bytesOf(Transaction_Type.CHAINCODE_INVOKE, ''))).rejects.toThrow('the transaction has no txid')
    expect(submitted).toEqual([])
  })

  it('says why consensus refuses', async () => {
    const { send } = setup({ submit: () => Promise.reject(new PeerError('ERR_CONSENSUS_OVERLOADED', 'no room')) })
    await expect(send(bytesOf(Transaction_Type.CHAINCODE_INVOKE, 't'))).rejects.toThrow(/^no room$/)
  })
})
