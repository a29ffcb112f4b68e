import { expect, it } from 'vitest'
import type { EngineRequest } from '../../../plugins/consensus/engine/engine.js'
import { requestId } from '../../../plugins/consensus/engine/request-id.js'
import type { Transaction } from '../../../proto/index.js'
import { createExecution } from '../kit/execution.js'
import { transactionOf } from '../kit/fake-ledger.js'

const request = (payload: string): EngineRequest => {
  const bytes = transactionOf(payload)
  return { id: requestId(bytes), bytes }
}
const textOf = ({ payload }: Transaction): string => Buffer.from(payload).toString()

/** Executes blocks of an epoch whose start needs so many markers more; each resolves with the payloads that it holds and those that were postponed. */
async function executing(markersMissing: number) {
  const { ledger, execution } = await createExecution({
    epoch: 1n,
    markersMissing,
    isSuccession: (transaction) => /^(marker|call)/.test(textOf(transaction)),
    isMarker: (transaction) => textOf(transaction).startsWith('marker'),
  })
  return async (...batches: readonly string[][]) => {
    const requests = batches.map((payloads) => payloads.map(request))
    for (const batch of requests) await execution.execute(batch)
    const { block, postponed } = await execution.commit(undefined, () => undefined)
    const nameOf = (id: string): string => batches.flat()[requests.flat().findIndex((one) => one.id === id)] ?? ''
    return { block: (ledger.block(block.number)?.transactions ?? []).map(textOf), postponed: postponed.map(nameOf) }
  }
}

it('the last marker that a start needs admits what follows it in its block, and nothing before it', async () => {
  const block = await executing(2)
  expect(await block(['a', 'marker 1', 'b', 'call', 'c', 'marker 2', 'd', 'marker 3', 'e'])).toEqual({
    block: ['marker 1', 'call', 'marker 2', 'd', 'marker 3', 'e'],
    postponed: ['a', 'b', 'c'],
  })
})

it('it is the same however the block comes in batches', async () => {
  const block = await executing(2)
  expect(await block(['a', 'marker 1'], ['b', 'marker 2', 'c'], ['d'])).toEqual({ block: ['marker 1', 'marker 2', 'c', 'd'], postponed: ['a', 'b'] })
})

it('a marker that is executed twice, or a call that is none, counts for nothing', async () => {
  const block = await executing(2)
  expect(await block(['marker 1', 'marker 1', 'call', 'a'])).toEqual({ block: ['marker 1', 'call'], postponed: ['a'] })
})

it('what one block has counted the next one counts anew: it knows what the chain has', async () => {
  const block = await executing(1)
  expect(await block(['marker 1', 'a'])).toEqual({ block: ['marker 1', 'a'], postponed: [] })
  expect(await block(['b', 'marker 2', 'c'])).toEqual({ block: ['marker 2', 'c'], postponed: ['b'] })
})

it('an epoch that has started admits everything', async () => {
  const block = await executing(0)
  expect(await block(['a', 'marker 1', 'b'])).toEqual({ block: ['a', 'marker 1', 'b'], postponed: [] })
})
