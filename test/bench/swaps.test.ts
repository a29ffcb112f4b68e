import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { longestGap, quorumCommits, type ReadChain } from '../../plugins/bench/swaps/chain.js'
import { DiskBystander } from '../../plugins/bench/swaps/disk.js'
import { swapsText } from '../../plugins/bench/swaps/report.js'
import { stageOf, type SwapRow, type SwapsReport } from '../../plugins/bench/swaps/swaps.js'
import { reordered } from '../../plugins/bench/swaps/witness.js'
import { EpochRecord, SwapCandidate } from '../../proto/index.js'

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

describe('a swap to another epoch of the same engine', () => {
  const record = (epoch: bigint): EpochRecord => EpochRecord.fromPartial({ epoch, engine: 'pbft', started: [0, 1, 2], markersNeeded: 3 })
  const at = (epoch: bigint, candidate?: SwapCandidate): Parameters<typeof stageOf>[0][number] => ({ record: record(epoch), candidate, sealing: false })

  it('is over when every validator is in that epoch', () => {
    expect(stageOf([at(112n), at(112n), at(112n), at(111n)], 112n)).toBe('under way')
    expect(stageOf([at(112n), at(112n), at(112n), { ...at(112n), sealing: true }], 112n)).toBe('under way')
    expect(stageOf([at(112n), at(112n), at(112n), at(112n)], 112n)).toBe('over')
  })

  it('is cancelled when nobody is there, nor has a candidate', () => {
    expect(stageOf([at(111n), at(111n), at(111n, SwapCandidate.fromPartial({}))], 112n)).toBe('under way')
    expect(stageOf([at(111n), at(111n), at(111n)], 112n)).toBe('cancelled')
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

describe('the disk', () => {
  it('is written by a bystander, whose longest write in a window is told', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'weft-test-disk-'))
    const before = Date.now()
    const bystander = new DiskBystander(join(directory, 'bystander'))
    await expect.poll(() => bystander.writes.length).toBeGreaterThan(1)
    await bystander.stop()
    rmSync(directory, { recursive: true })
    const longest = Math.max(...bystander.writes.map(({ ms }) => ms))
    expect(bystander.longest(before - 1, Date.now() + 1)).toBe(longest)
    expect(bystander.longest(0, before - 1)).toBe(0)
  })

  it('fails the bench if it cannot be written', async () => {
    await expect(new DiskBystander('/no-such-directory/bystander').stop()).rejects.toThrow('ENOENT')
  })

  it('is told beside the gaps, which are given again without the swaps during which it stood still', () => {
    const row = { from: 'a', to: 'b', tookMs: 900, gapMs: 60, gapAtMs: 0, gapAt: 'vp0', quorumGapMs: 50, quietMs: 40, diskMs: 3 }
    const rows: SwapRow[] = [row, { ...row, gapMs: 80 }, { ...row, gapMs: 700, quorumGapMs: 700, diskMs: 650 }]
    const load = { sent: 3, committed: 3, rejected: 0, refused: 0, unknown: 0, inTime: 3, seconds: 1, perSecond: 3, p50Ms: 9, p99Ms: 9, errors: [] }
    const report: SwapsReport = {
      validators: 4,
      rate: 3,
      rows,
      diskMs: [1, 2, 650],
      load,
      acknowledged: 3,
      lost: 0,
      doubled: 0,
      reordered: [0],
      heads: ['aa', 'aa'],
    }
    const text = swapsText(report)
    expect(text).toContain('on the same disk: p50 2, p99 650, max 650 ms; more than 100 ms during 1 of the 3 swaps')
    expect(text).toContain('gap of the other 2: p50 80, p99 80, max 80 ms; of a quorum: p50 50, p99 50, max 50 ms')
  })
})
