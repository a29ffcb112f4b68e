import { describe, expect, it } from 'vitest'
import { type Forwarding, membersOf, validatorIds } from '../../plugins/consensus/index.js'
import { ConsensusDoor } from '../../plugins/consensus/door.js'
import { transactionOf } from './kit/fake-ledger.js'

const ids = (listed: readonly string[], count: number | undefined, self: string) =>
  validatorIds({ 'consensus.validators': listed, 'pbft.general.N': count }, self)

describe('the validators', () => {
  it('are those that are listed, else vp0 to vp(N-1) if this peer is one of them, else this peer alone', () => {
    expect(ids(['b', 'a'], 4, 'a')).toEqual(['b', 'a'])
    expect(ids([], 4, 'vp3')).toEqual(['vp0', 'vp1', 'vp2', 'vp3'])
    expect(ids([], 4, 'vp4')).toEqual(['vp4'])
    expect(ids([], undefined, 'jdoe')).toEqual(['jdoe'])
  })

  it('are numbered in their order', () => {
    expect(membersOf(['b', 'a'], 'a')).toEqual({
      all: [
        { index: 0, id: 'b' },
        { index: 1, id: 'a' },
      ],
      self: 1,
    })
  })
})

describe('a peer that does not validate', () => {
  it('hands transactions to a validator, and cannot tell how they end', async () => {
    const forwarded: Uint8Array[] = []
    const forwarding: Forwarding = {
      isNeeded: true,
      forward: async (bytes) => {
        forwarded.push(bytes)
        return Buffer.from('txid')
      },
    }
    const door = new ConsensusDoor(
      () => 0n,
      () => forwarding,
    )
    const accepted = await door.submit(transactionOf('a'))
    expect(forwarded).toEqual([transactionOf('a')])
    await expect(accepted.outcome()).rejects.toMatchObject({ code: 'ERR_CONSENSUS_FORWARDED' })
  })

  it('says so if nobody can take them', async () => {
    await expect(new ConsensusDoor(() => 0n).submit(transactionOf('a'))).rejects.toMatchObject({ code: 'ERR_CONSENSUS_HALTED' })
  })
})
