import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { engineViewOf, leadershipOf } from '../../plugins/consensus/index.js'
import { newsOf } from '../../plugins/top/happenings.js'
import { wantsColours } from '../../plugins/top/paint.js'
import { ratesOf } from '../../plugins/top/rates.js'
import { differences, Screen } from '../../plugins/top/screen.js'
import { swapOf } from '../../plugins/top/swap.js'
import { cut, fit, grouped, memory, short, time, widthOf } from '../../plugins/top/text.js'
import { SwapProgress } from '../../proto/index.js'
import { answerOf, reportOf, unreachable, vitalsOf, watched } from './pictures.js'

test('numbers, times and sizes stay within their columns', () => {
  expect([0, 12, 9999, 10_000, 123_456, 9_999_999, 4.2e9].map(short)).toEqual(['0', '12', '9,999', '10.0k', '123k', '10.0M', '4.20G'])
  expect([0.04, 9.9, 12, 999, 1200, 99_900, 180_000, 7_200_000].map(time)).toEqual(['0.0 ms', '9.9 ms', '12 ms', '999 ms', '1.2 s', '99.9 s', '3 min', '2 h'])
  expect([188_743_680, 12_884_901_888].map(memory)).toEqual(['180M', '12.0G'])
  expect(grouped(1_234_567n)).toBe('1,234,567')
  fc.assert(fc.property(fc.double({ min: 0, max: 1e14, noNaN: true }), (value) => short(value).length <= 5))
  fc.assert(fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (ms) => time(ms).length <= 7))
})

test('texts are cut and filled by columns, not by characters', () => {
  expect([widthOf('abc'), widthOf('票a'), widthOf('e\u0301')]).toEqual([3, 3, 1])
  expect([cut('abcdef', 4), cut('票票票', 4), cut('abc', 3), cut('abc', 0)]).toEqual(['abc…', '票…', 'abc', ''])
  expect([fit('ab', 4), fit('ab', 4, 'right')]).toEqual(['ab  ', '  ab'])
})

test('colours are for terminals whose owner wants them', () => {
  expect(wantsColours(true, {})).toBe(true)
  expect([wantsColours(true, { NO_COLOR: '1' }), wantsColours(true, { TERM: 'dumb' }), wantsColours(false, {})]).toEqual([false, false, false])
})

describe('rates', () => {
  test('are of the time between two answers, by the clock of the peer', () => {
    const before = answerOf(0, {
      vitals: vitalsOf(0, { upMicros: 58_000_000n, succeeded: 97_000n, failed: 0n, ended: 24_388n, waitedMicros: 299_000_000n, cpuMicros: 9_450_000n }),
    })
    expect(ratesOf(before, answerOf(0))).toEqual({ transactions: 505, latencyMs: 10, cpu: 0.5, refused: 0 })
  })

  test('are not known with one answer, without figures, and across a restart', () => {
    const unknown = { transactions: undefined, latencyMs: undefined, cpu: undefined, refused: undefined }
    expect(ratesOf(undefined, answerOf(0))).toEqual(unknown)
    expect(ratesOf(answerOf(0, { vitals: undefined }), answerOf(0))).toEqual(unknown)
    expect(ratesOf(answerOf(0), answerOf(0, { vitals: vitalsOf(0, { upMicros: 1_000_000n }) }))).toEqual(unknown)
  })

  test('have no latency while nothing ends', () => {
    const before = answerOf(0, { vitals: vitalsOf(0, { upMicros: 59_000_000n }) })
    expect(ratesOf(before, answerOf(0)).latencyMs).toBeUndefined()
  })
})

test('a swap is what a candidate says, or an engine that is sealed and votes on', () => {
  const swap = { engine: 'raft', version: '1.0.0', phase: 'on trial', refusal: '', ready: ['vp0', 'vp1'], cancelled: [], preparedIn: 7n }
  expect(swapOf(reportOf(0, { swap }))).toEqual({ phase: 'trial', engine: 'raft@1.0.0', activation: undefined, ready: 2, refusal: '' })
  expect(swapOf(reportOf(0, { sealing: true, activation: 9n }))).toMatchObject({ phase: 'sealed', engine: 'pbft@1.0.0', activation: 9n })
  expect(swapOf(reportOf(0))).toBeUndefined()
})

test('view and leader are found under the names that engines use', () => {
  const { members } = reportOf(0)
  const of = (view: unknown) => leadershipOf({ members, engineView: JSON.stringify(view) })
  expect(of({ view: 3, primary: 2 })).toEqual({ view: '3', leader: 'vp2' })
  expect(of({ term: 7, leader: 'vp1' })).toEqual({ view: '7', leader: 'vp1' })
  expect(of({ term: 7, leader: null })).toEqual({ view: '7', leader: undefined })
  expect(of({ round: '9', leader: 17 })).toEqual({ view: '9', leader: undefined })
  expect([engineViewOf({ engineView: 'no JSON' }), engineViewOf({ engineView: '[1]' }), engineViewOf({ engineView: '' })]).toEqual([{}, {}, {}])
})

test('what is new about a peer is told once', () => {
  const texts = (before: Parameters<typeof newsOf>[0], after: Parameters<typeof newsOf>[1]) => newsOf(before, after).map(({ text }) => text)
  const old = watched(0)
  expect(texts(old, old)).toEqual([])
  expect(texts(old, unreachable(0, 'connection refused'))).toEqual(['unreachable: connection refused'])
  expect(texts(unreachable(0, 'a'), unreachable(0, 'b'))).toEqual([])
  expect(texts(unreachable(0, 'a'), old)).toEqual(['answers again, after 12.0 s'])
  expect(texts(old, watched(0, { epoch: 1n, engine: 'raft', height: 1210n }))).toEqual(['epoch 0 pbft@1.0.0 → epoch 1 raft@1.0.0 at height 1,210'])
  expect(texts(old, watched(0, { engineView: '{"view":4,"primary":0}' }))).toEqual(['view 3 → 4, led by vp0, at height 1,204'])
  const onTrial = watched(0, { swap: SwapProgress.fromPartial({ engine: 'raft', version: '1.0.0', phase: 'on trial' }) })
  expect(texts(old, onTrial)).toEqual(['raft@1.0.0: trial at height 1,204'])
  expect(texts(onTrial, old)).toEqual(['raft@1.0.0: cancelled at height 1,204'])
  // An engine that has just begun may say nothing of itself yet.
  expect(texts(old, watched(0, { engineView: '{}' }))).toEqual([])
  expect(texts(old, watched(0, { halted: 'it threw' }))).toEqual(['halted: it threw'])
  expect(texts(old, { ...old, last: answerOf(0, { vitals: vitalsOf(0, { upMicros: 5n }) }) })).toEqual(['was started anew'])
})

describe('a screen', () => {
  /** A terminal that knows what `differences` writes. */
  const apply = (screen: readonly string[], text: string): string[] => {
    const lines = [...screen]
    for (const [, row = '', line = ''] of text.replaceAll('\u001b', '^').matchAll(/\^\[(\d+);1H\^\[K([^^]*)\^\[0m/g)) lines[Number(row) - 1] = line
    return lines
  }

  test('becomes the next frame by what is different alone', () => {
    const frame = fc.array(fc.constantFrom('', 'a', 'b', 'c'), { maxLength: 8 })
    fc.assert(
      fc.property(frame, frame, (before, after) => {
        const shown = apply(before, differences(before, after))
        expect(Array.from({ length: Math.max(before.length, after.length) }, (_, row) => shown[row] ?? '')).toEqual(
          Array.from({ length: Math.max(before.length, after.length) }, (_, row) => after[row] ?? ''),
        )
        if (before.join('\n') === after.join('\n') && before.length === after.length) expect(differences(before, after)).toBe('')
      }),
    )
  })

  test('gives the terminal back once, draws nothing afterwards, and waits for a terminal that is slow', () => {
    let written = ''
    const terminal = { takesFrames: true, write: (text: string) => void (written += text) }
    const screen = new Screen(terminal)
    screen.enter()
    screen.show(['one'])
    terminal.takesFrames = false
    screen.show(['two'])
    expect(written).not.toContain('two')
    screen.leave()
    const left = written
    screen.leave()
    screen.show(['three'])
    screen.clear()
    expect(written).toBe(left)
    expect(written.startsWith('\u001b[?1049h')).toBe(true)
    expect(written.endsWith('\u001b[?25h\u001b[?1049l')).toBe(true)
  })
})
