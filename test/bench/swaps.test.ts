import { describe, expect, it } from 'vitest'
import { longestGap, quorumCommits, type ReadChain } from '../../plugins/bench/swaps/chain.js'
import { reordered } from '../../plugins/bench/swaps/witness.js'

/** A chain whose blocks 1, 2, ... were committed at these moments. */
const chainOf = (...moments: readonly number[]): ReadChain => ({
  id: 'vp',
  headHash: '',
  height: BigInt(moments.length + 1),
  commits: moments.map((atMs, index) => ({ block: BigInt(index + 1), atMs })),
  txids: [],
})

describe('the longest gap', () => {
  const { commits } = chainOf(0, 10, 50, 55, 300)

  it('is that of two commits of which one is in the window', () => {
    expect(longestGap(commits, 5, 54)).toEqual({ atMs: 10, ms: 40 })
  })

  it('is that of the two around a window without any', () => {
    expect(longestGap(commits, 100, 200)).toEqual({ atMs: 55, ms: 245 })
  })
})

describe('commits of a quorum', () => {
  it('are when all but a third of the validators had the block', () => {
    const chains = [chainOf(1, 20), chainOf(2, 21), chainOf(3, 30), chainOf(500, 501)]
    expect(quorumCommits(chains)).toEqual([
      { block: 1n, atMs: 3 },
      { block: 2n, atMs: 30 },
    ])
  })

  it('are in the order of time, though a transfer brings a later block first', () => {
    const chains = [chainOf(9, 2), chainOf(9, 2), chainOf(9, 2), chainOf(9, 2)]
    expect(quorumCommits(chains).map(({ block }) => block)).toEqual([2n, 1n])
  })
})

it('counts what is in the chain before what its door accepted earlier', () => {
  const places = new Map([
    ['a', 3],
    ['b', 1],
    ['c', 2],
    ['d', 9],
  ])
  expect(reordered(['a', 'b', 'c', 'lost', 'd'], places)).toBe(2)
})
