import { fastify } from 'fastify'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { Block, ChaincodeDeploymentSpec, Transaction, Transaction_Type, decode, encode } from '../../proto/index.js'
import { ledgerRoutes } from '../../plugins/rest/routes/ledger.js'

const deployment = ChaincodeDeploymentSpec.fromPartial({ chaincodeSpec: { chaincodeID: { name: 'c' } }, codePackage: Buffer.from('code') })
const deploy = Transaction.fromPartial({ type: Transaction_Type.CHAINCODE_DEPLOY, txid: 'c', payload: encode(ChaincodeDeploymentSpec, deployment) })
const invoke = Transaction.fromPartial({ type: Transaction_Type.CHAINCODE_INVOKE, txid: 'i', payload: Buffer.from([1]) })

const shape = z.looseObject({ transactions: z.array(z.looseObject({ payload: z.string() })).optional(), payload: z.string().optional() })

/** Routes over blocks that a test can change; undefined is a hole, an error a store that fails. */
function over(blocks: (Uint8Array | undefined | Error)[], failed: (route: string | undefined, cause: unknown) => void = () => undefined) {
  const app = fastify()
  const read = (bytes: Uint8Array | undefined | Error): Uint8Array | undefined => {
    if (bytes instanceof Error) throw bytes
    return bytes
  }
  const chain = {
    info: () => ({ height: BigInt(blocks.length), currentBlockHash: new Uint8Array(0), previousBlockHash: new Uint8Array(0) }),
    height: () => BigInt(blocks.length),
    blockBytes: (number: bigint) => read(blocks[Number(number)]),
    transactionBytes: (txid: string) => (txid === 'c' ? encode(Transaction, deploy) : txid === 'bad' ? read(new Error('disk')) : undefined),
  }
  ledgerRoutes(
    app,
    () => chain,
    ({ routeOptions: { url } }, cause) => failed(url, cause),
  )
  return async (url: string) => {
    const { statusCode, body } = await app.inject({ url })
    return { status: statusCode, body, json: shape.parse(JSON.parse(body)) }
  }
}

const codeIn = (payload = ''): string => Buffer.from(decode(ChaincodeDeploymentSpec, Buffer.from(payload, 'base64')).codePackage).toString()

describe('ledger routes', () => {
  it('show a deploy without code in its block, and with it as a transaction', async () => {
    const get = over([encode(Block, Block.fromPartial({ transactions: [invoke, deploy] }))])
    const { json } = await get('/chain/blocks/0')
    expect(json.transactions?.map(({ payload }) => payload)[0]).toBe('AQ==')
    expect(codeIn(json.transactions?.[1]?.payload)).toBe('')
    expect(codeIn((await get('/transactions/c')).json.payload)).toBe('code')
  })

  it('show a deploy whose payload cannot be read as it is', async () => {
    const odd = { ...deploy, payload: Buffer.from([0xff]) }
    expect((await over([encode(Block, Block.fromPartial({ transactions: [odd] }))])('/chain/blocks/0')).json.transactions?.[0]?.payload).toBe('/w==')
  })

  it('never show a block as it was before it was written again', async () => {
    const blocks = [encode(Block, Block.fromPartial({ version: 1 }))]
    const get = over(blocks)
    expect((await get('/chain/blocks/0')).body).toBe('{"version":1}\n')
    blocks[0] = encode(Block, Block.fromPartial({ version: 2 }))
    expect((await get('/chain/blocks/0')).body).toBe('{"version":2}\n')
    expect((await get('/chain/blocks/0')).body).toBe('{"version":2}\n')
  })

  it('answer holes, an empty chain, a failing store and damaged blocks with errors', async () => {
    const failures: unknown[] = []
    const get = over([undefined, new Error('disk'), Uint8Array.of(0x1a, 0x7f)], (route, cause) => failures.push([route, cause]))
    expect(await get('/chain/blocks/0')).toMatchObject({ status: 404, json: { Error: 'openchain: resource not found' } })
    expect(await get('/chain/blocks/1')).toMatchObject({ status: 500, json: { Error: 'disk' } })
    expect(await get('/chain/blocks/2')).toMatchObject({ status: 500, json: { Error: expect.stringContaining('beyond the end') } })
    expect(await get('/transactions/bad')).toMatchObject({ status: 500, json: { Error: 'Error retrieving transaction bad: disk.' } })
    expect(failures).toEqual([
      ['/chain/blocks/:id', new Error('disk')],
      ['/chain/blocks/:id', expect.any(Error)],
      ['/transactions/:id', new Error('disk')],
    ])
    expect(await over([])('/chain')).toMatchObject({ status: 400, json: { Error: 'No blocks in blockchain.' } })
  })
})
