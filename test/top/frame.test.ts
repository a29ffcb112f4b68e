import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { frameOf, isWell, plainFrame } from '../../plugins/top/frame.js'
import type { Picture } from '../../plugins/top/model.js'
import { painted } from '../../plugins/top/paint.js'
import { widthOf } from '../../plugins/top/text.js'
import { NOW_MS, pictureOf, reportOf, unreachable, watched } from './pictures.js'

const FOUR = [0, 1, 2, 3].map((index) => watched(index))

const linesOf = (picture: Picture, columns: number): string[] => plainFrame(picture, columns).trimEnd().split('\n')

/** A candidate in a phase. */
const withSwap = (phase: string, refusal = '') => ({
  swap: { engine: 'raft', version: '1.2.0', phase, refusal, ready: ['vp0'], cancelled: [], preparedIn: 1200n },
})

describe('a frame', () => {
  test('shows every column where there is room', () => {
    expect(linesOf(pictureOf(FOUR), 120).map((line) => line.trimEnd())).toEqual([
      'weft top  devnet /tmp/weft-devnet                                                                4 of 4 answer  12:01:33',
      'pbft@1.0.0 epoch 0   height 1,204, in step   980 tx/s   latency 13 ms',
      '',
      'validator  engine      epoch  view  leader    height   tx/s  latency   pool    in   out  links     rtt    mem   cpu',
      'vp0        pbft@1.0.0      0     3  vp3        1,204    980    13 ms     12     3     0    3/3  0.4 ms   180M   45%',
      'vp1        pbft@1.0.0      0     3  vp3        1,204    980    13 ms     12     3     0    3/3  0.4 ms   180M   45%',
      'vp2        pbft@1.0.0      0     3  vp3        1,204    980    13 ms     12     3     0    3/3  0.4 ms   180M   45%',
      'vp3        pbft@1.0.0      0     3  vp3        1,204    980    13 ms     12     3     0    3/3  0.4 ms   180M   45%',
    ])
  })

  test('of 80 columns has everything up to the links', () => {
    const [, , , header, first] = linesOf(pictureOf(FOUR), 80)
    expect(header).toBe('validator engine     epoch view leader   height  tx/s latency  pool links    rtt')
    expect(first).toBe('vp0       pbft@1.0.0     0    3 vp3       1,204   980   13 ms    12   3/3 0.4 ms')
  })

  test('of 40 columns keeps what matters most', () => {
    expect(linesOf(pictureOf(FOUR), 40).slice(3, 5)).toEqual(['validator  epoch    height   tx/s', 'vp0            0     1,204    980'])
  })

  test('shows who does not answer in place of its figures, with the reason and what it was at', () => {
    const picture = pictureOf([...FOUR.slice(0, 2), unreachable(2, 'connection refused'), watched(3)])
    expect(linesOf(picture, 100)[6]).toBe('vp2       unreachable for 12.0 s: connection refused (was at height 1,204, epoch 0)')
    expect(frameOf(picture, { columns: 100, rows: 24 })[6]?.every(({ style, text }) => style === 'red' || text.trim() === '')).toBe(true)
    expect(linesOf(picture, 100)[0]).toMatch(/3 of 4 answer/)
    expect(isWell(picture)).toBe(false)
    expect(isWell(pictureOf(FOUR))).toBe(true)
  })

  test('names members of whom nobody knows an address, unless an unknown peer is watched', () => {
    const picture = pictureOf(FOUR.slice(0, 3))
    expect(linesOf(picture, 120)[7]).toMatch(/^vp3 +a member of unknown address/)
    expect(isWell(picture)).toBe(false)
    const unknown = { target: { name: '127.0.0.1:7081', address: '127.0.0.1:7081' }, state: 'unreachable', last: undefined, before: undefined } as const
    const named = pictureOf([...FOUR.slice(0, 3), { ...unknown, reason: 'connection refused', sinceMs: NOW_MS }])
    expect(linesOf(named, 120).join('\n')).not.toMatch(/unknown address/)
  })

  test('says what an operator should look at, each thing once', () => {
    const connected = (index: number, missing: number) => reportOf(index).members.map((member) => ({ ...member, connected: member.index !== missing }))
    const peers = [
      watched(0, { members: connected(0, 1) }),
      watched(1, { members: connected(1, 0), headHash: new Uint8Array(64).fill(9) }),
      watched(2, { height: 1100n, valid: false }),
      watched(3, { halted: 'the engine threw', divergence: 'block 7 differs' }),
    ]
    const text = plainFrame(pictureOf(peers), 120)
    expect(text.split('\n').filter((line) => line.startsWith('! '))).toEqual([
      '! DIFFERENT BLOCKS at height 1,204: vp0, vp3 against vp1',
      '! vp2 knows that its state is behind, and refuses queries',
      '! vp3 orders nothing: the engine threw',
      '! vp3: block 7 differs',
      '! no link between vp0 and vp1',
    ])
    expect(text).toMatch(/height 1,204, 1 behind/)
  })

  test('shows a swap as it crosses: who is in which phase, and the block', () => {
    const peers = ['loading', 'on trial', 'ready', 'refused'].map((phase, index) =>
      watched(index, withSwap(phase, phase === 'refused' ? 'no such engine' : '')),
    )
    const lines = linesOf(pictureOf(peers), 120)
    expect(lines.slice(2, 4)).toEqual(['swap  pbft@1.0.0 → raft@1.2.0', '      prepared 1 › trial 1 › ready 1 › sealed › started › refused 1'])
    expect(lines[5]).toMatch(/^validator +engine +epoch +swap/)
    expect(lines[7]).toMatch(/^vp1 +pbft@1.0.0 +0 +trial/)
    expect(lines.at(-1)).toBe('! vp3 does not take part in the swap: no such engine')
    expect(linesOf(pictureOf(peers), 80)[5]).toMatch(/swap/)
  })

  test('shows a swap that is decided: the block, and who has started', () => {
    const next = { engine: 'raft', version: '1.2.0', epoch: 1n, activation: 1210n }
    const peers = [watched(0, withSwap('ready')), watched(1, { ...next, sealing: true }), watched(2, next), watched(3, next)]
    expect(linesOf(pictureOf(peers), 120).slice(2, 4)).toEqual([
      'swap  pbft@1.0.0 → raft@1.2.0, after block 1,210 (6 to go)',
      '      prepared › trial › ready 1 › sealed 1 › started 2',
    ])
    expect(linesOf(pictureOf([2, 3].map((index) => watched(index, next))), 120).join('\n')).not.toMatch(/^swap/m)
  })

  test('shows the validators that crossed beside those that did not', () => {
    const [, summary] = linesOf(pictureOf([watched(0, { epoch: 1n, engine: 'raft' }), ...FOUR.slice(1)]), 120)
    expect(summary).toMatch(/^raft@1.0.0 epoch 1 \| pbft@1.0.0 epoch 0/)
  })

  test('shows the newest happenings as far as there is room, and says what it left out', () => {
    const happenings = Array.from({ length: 50 }, (_, index) => ({ atMs: 0, peer: 'vp0', text: `number ${index}`, kind: 'view' as const }))
    const lines = frameOf(pictureOf(FOUR, { happenings }), { columns: 80, rows: 14 }).map((line) => painted(line, false))
    expect(lines).toHaveLength(14)
    expect(lines.slice(9).map((line) => line.slice(9))).toEqual([45, 46, 47, 48, 49].map((number) => `vp0 number ${number}`))
    const many = Array.from({ length: 40 }, (_, index) => watched(index))
    const short = frameOf(pictureOf(many), { columns: 80, rows: 14 }).map((line) => painted(line, false))
    expect(short).toHaveLength(14)
    expect(short.at(-1)).toBe('… 31 more peers: make the terminal higher')
  })

  test('has no escape sequence without colours, and none of a peer in any case', () => {
    const evil = '\u001b]0;owned\u0007\u001b[2J\r\nvp9\u202e'
    const peers = [
      watched(0, { id: evil, engine: evil, version: evil, halted: evil, divergence: evil, engineView: JSON.stringify({ view: evil, leader: evil }) }),
    ]
    const picture = pictureOf([...peers, unreachable(1, evil)], { title: evil, happenings: [{ atMs: 0, peer: evil, text: 'x', kind: 'bad' }] })
    expect(plainFrame(picture, 200).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u)
    expect(painted([{ text: 'a', style: 'red' }], true)).toBe('\u001b[31ma\u001b[0m')
    expect(painted([{ text: 'a', style: 'red' }], false)).toBe('a')
  })

  test('fits any terminal, whatever peers say', () => {
    const name = fc.string({ unit: 'grapheme', maxLength: 30 })
    const peer = fc.tuple(fc.nat({ max: 9 }), name, name, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.boolean(), fc.option(name, { nil: undefined }))
    fc.assert(
      fc.property(fc.array(peer, { maxLength: 12 }), fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 60 }), (peers, columns, rows) => {
        const all = peers.map(([index, id, view, height, isUp, swap]) =>
          isUp
            ? watched(index, { id, height, engineView: JSON.stringify({ view, leader: index }), ...(swap === undefined ? {} : withSwap(swap, swap)) })
            : unreachable(index, view),
        )
        const lines = frameOf(pictureOf(all), { columns, rows })
        expect(lines.length).toBeLessThanOrEqual(rows)
        for (const line of lines) expect(widthOf(painted(line, false))).toBeLessThanOrEqual(columns)
      }),
      { numRuns: 300 },
    )
  })
})
