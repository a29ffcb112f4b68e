import { describe, expect, it } from 'vitest'
import { committedReport } from '../../plugins/consensus/execution/execution.js'
import type { EngineRequest } from '../../plugins/consensus/engine/engine.js'
import { requestId } from '../../plugins/consensus/engine/request-id.js'
import { encode, Transaction, Transaction_Type } from '../../proto/index.js'
import { createExecution } from './kit/execution.js'

const withTxid = (txid: string, payload: string): EngineRequest => {
  const bytes = encode(Transaction, Transaction.fromPartial({ type: Transaction_Type.CHAINCODE_INVOKE, txid, payload: Buffer.from(payload) }))
  return { id: requestId(bytes), bytes }
}

/** Executes blocks over the real ledger; each resolves with the payloads that it holds. */
async function executing(executesRepetitions = false) {
  const { ledger, execution } = await createExecution({}, executesRepetitions)
  return {
    ledger,
    block: async (...requests: EngineRequest[]) => {
      await execution.execute(requests)
      const { block } = await execution.commit(undefined, () => undefined)
      return (ledger.block(block.number)?.transactions ?? []).map(({ payload }) => Buffer.from(payload).toString())
    },
  }
}

describe('a transaction whose txid somebody else uses again', () => {
  const victim = withTxid('shared', 'pay once')
  const other = withTxid('shared', 'of somebody else')

  it('is executed once, however often it is ordered afterwards', async () => {
    const { ledger, block } = await executing()
    expect(await block(victim)).toEqual(['pay once'])
    expect(await block(other)).toEqual(['of somebody else'])
    expect(await block(victim, other)).toEqual([])
    expect(committedReport(ledger, victim)).toEqual({ status: 'committed', block: 1n, index: 0 })
    expect(committedReport(ledger, other)).toEqual({ status: 'committed', block: 2n, index: 0 })
  })

  it('is executed once also if both came in one block', async () => {
    const { block } = await executing()
    expect(await block(victim, other)).toEqual(['pay once', 'of somebody else'])
    expect(await block(victim)).toEqual([])
  })

  it('is executed again in a network with originals, as they do', async () => {
    const { ledger, block } = await executing(true)
    for (const request of [victim, other, victim]) await block(request)
    expect(await block(other, other)).toEqual(['of somebody else', 'of somebody else'])
    expect(ledger.locate('shared')).toEqual({ block: 4n, index: 1 })
  })
})
