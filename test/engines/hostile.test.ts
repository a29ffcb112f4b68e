import { describe, expect, it, vi } from 'vitest'
import type { ProcessLimits } from '../../plugins/engines/process/limits.js'
import { isolated, requestOf, startAt, stopped, witness } from './kit.js'

/** No other time is like it. */
const BACK_OFF_MS = 123_457

/** What becomes of a seat whose engine does a deed when it is told of a request. */
async function after(deed: string, limits: Partial<ProcessLimits> = {}, when = 'request') {
  const seen = witness()
  const seat = (await isolated('hostile', { deed, when }, { maxRestarts: 0, ...limits }))({ ...seen.options, claimTimer: () => true })
  const options = seen.options
  seat.begin(startAt(0n))
  seat.post({ type: 'request', request: requestOf('a request') })
  await stopped(seat, seen)
  expect(seat.isRunning).toBe(false)
  await seat.dispose()
  expect(seen.losses).toEqual([])
  expect(options).toBeDefined()
  return seen.faults
}

describe('an engine that does not keep the rules', () => {
  it.each([
    ['throw', /threw in 'request': I will not/],
    ['unreadable', /threw in 'request': something that cannot be shown/],
    ['promise', /returned a promise/],
    ['flood', /a handler may ask for 10000 effects/],
    ['metrics', /more than 1000 metrics/],
    ['nonsense', /broke the rules of its pipe/],
    ['json', /broke the rules of its pipe: an answer that means nothing/],
    ['answers', /an answer to nothing/],
    ['deep', /broke the rules of its pipe/],
    ['list', /broke the rules of its pipe: a frame that cannot be read: it has more than 500000 values/],
    ['view', /threw in 'request': status\(\) takes what is at most 65536 characters of JSON; found 1000\d\d/],
    ['word', /threw in 'request': .*metric\(\) takes a name of at most 256 characters; found 300 at word/],
    ['vote', /threw in 'request': .*broadcast\(\) takes the slot of a vote as a string; found 1 at vote/],
    ['cyclic', /threw in 'request': Converting circular structure/],
    ['essay', /effects of 1048\d{5} bytes in one handler, more than 67108864/],
    ['stray', /a promise of its code failed, and nobody awaited it: left behind at stray \(index\.js:\d+/],
    ['huge', /broke the rules of its pipe: a frame of 4294967295 bytes/],
    ['self', /sends to member 0 of 4, being 0/],
    ['forge', /with the bytes of another/],
    ['clock', /the current time is not available to engines/],
    ['random', /Math.random is not available to engines/],
    ['network', /fetch is not available to engines/],
    ['exit', /its process ended 1 times in a row, at last because the process ended with exit code 3/],
    ['kill', /its process ended 1 times in a row, at last because/],
  ])('is stopped: %s', async (deed, reason) => {
    expect(await after(deed)).toEqual([expect.stringMatching(reason)])
  })

  it('is stopped when a handler does not end', async () => {
    expect(await after('loop', { maxHandlerMs: 300 })).toEqual([expect.stringMatching(/did not answer 'request' within 300 ms/)])
  })

  it('is stopped as soon when events go on coming meanwhile', async () => {
    const seen = witness()
    const seat = (await isolated('hostile', { deed: 'loop' }, { maxRestarts: 0, maxHandlerMs: 400 }))(seen.options)
    seat.begin(startAt(0n))
    let posted = 0
    const coming = setInterval(() => {
      seat.post({ type: 'request', request: requestOf(`${posted++}`) })
    }, 50)
    await seen.until(() => seen.faults.length > 0)
    clearInterval(coming)
    expect(posted).toBeLessThan(200)
    await seat.dispose()
  })

  it('says what it is busy with, for those who wait', async () => {
    const seen = witness()
    const seat = (await isolated('hostile', { deed: 'loop', when: 'create' }))(seen.options)
    seat.begin(startAt(0n))
    await vi.waitUntil(() => seat.awaited?.includes('create'), { timeout: 60_000, interval: 20 })
    expect(seat.awaited).toMatch(/^its 'create' has not returned for \d+ ms$/)
    await seat.dispose()
    expect(seat.awaited).toBeUndefined()
  })

  it('is stopped when making it does not end', async () => {
    expect(await after('loop', { maxHandlerMs: 1500 }, 'create')).toEqual([expect.stringMatching(/its 'create' did not return within 1500 ms/)])
  })

  it('is stopped when it asks for more bytes than allowed', async () => {
    expect(await after('bytes', { maxAnswerBytes: 4 * 1024 * 1024 })).toEqual([expect.stringMatching(/effects of \d+ bytes in one handler, more than 4194304/)])
    expect(await after('bytes', { maxBytesPerSecond: 4 * 1024 * 1024 })).toEqual([expect.stringMatching(/effects of more than 4194304 bytes in a second/)])
  })

  it('is stopped when it asks for too much in a second, a little at a time', async () => {
    expect(await after('stream', { maxEffectsPerSecond: 1000 })).toEqual([expect.stringMatching(/more than 1000 effects in a second/)])
  })

  it.each(['allocate', 'buffers'])('is stopped at its limit of memory: %s', async (deed) => {
    expect(await after(deed, { memoryBytes: 128 * 1024 * 1024, maxHandlerMs: 60_000 })).toEqual([
      expect.stringMatching(/its process ended 1 times in a row|threw in 'request'/),
    ])
  })
})

describe('an engine whose process dies', () => {
  it('is begun anew a bounded number of times, later each time, also on other seats', async () => {
    const seen = witness()
    const waits: number[] = []
    const { clock } = seen.options
    const maker = await isolated('hostile', { deed: 'exit' }, { maxRestarts: 2, firstBackOffMs: 1 })
    const begin = (): void => {
      const seat = maker({
        ...seen.options,
        clock: {
          now: () => clock.now(),
          elapsedMs: () => clock.elapsedMs(),
          setTimer(delayMs, task) {
            if (delayMs < 100) waits.push(delayMs)
            return clock.setTimer(delayMs, task)
          },
        },
        lost: (reason) => {
          seen.losses.push(reason)
          begin()
        },
      })
      seat.begin(startAt(0n))
      seat.post({ type: 'request', request: requestOf('again') })
    }
    begin()
    await seen.until(() => seen.faults.length > 0)
    expect(seen.losses).toHaveLength(2)
    expect(waits).toEqual([1, 4])
    expect(seen.faults).toEqual([expect.stringMatching(/its process ended 3 times in a row/)])
  })

  it('does not begin anew after it was disposed of', async () => {
    const seen = witness()
    const { clock } = seen.options
    const waiting = new Set<() => void>()
    const setTimer = (delayMs: number, task: () => void): (() => void) => {
      if (delayMs !== BACK_OFF_MS) return clock.setTimer(delayMs, task)
      waiting.add(task)
      return () => void waiting.delete(task)
    }
    const maker = await isolated('hostile', { deed: 'exit' }, { firstBackOffMs: BACK_OFF_MS })
    const seat = maker({ ...seen.options, clock: { now: () => clock.now(), elapsedMs: () => clock.elapsedMs(), setTimer } })
    seat.begin(startAt(0n))
    seat.post({ type: 'request', request: requestOf('first') })
    await vi.waitUntil(() => waiting.size > 0, { timeout: 60_000, interval: 5 })
    await seat.dispose()
    expect(waiting.size).toBe(0)
    expect(seen.losses).toEqual([])
    expect(seen.faults).toEqual([])
  })
})

it('keeps the log readable and short', async () => {
  const seen = witness()
  const seat = (await isolated('hostile', { deed: 'chatter' }))(seen.options)
  seat.begin(startAt(0n))
  seat.post({ type: 'request', request: requestOf('x') })
  await seen.until(() => seen.carried.length > 1)
  const lines = seen.carried.flat().flatMap((effect) => (effect.type === 'log' ? [effect.message] : []))
  expect(lines).toHaveLength(200)
  expect(lines[0]).toBe('line 0\uFFFD[2J')
  await seat.dispose()
})
