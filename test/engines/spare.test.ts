import { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { SpareProcess } from '../../plugins/engines/process/spare.js'
import type { ContainedProcess } from '../../plugins/sandbox/index.js'

/** Launches nothing: counts, and lets the test end what was launched. */
function launcher() {
  const ends: ((reason: string) => void)[] = []
  const killed: number[] = []
  const launch = (): Promise<ContainedProcess> => {
    const number = ends.length
    const ended = new Promise<string>((resolve) => ends.push(resolve))
    const kill = (reason: string): void => {
      killed.push(number)
      ends[number]?.(reason)
    }
    return Promise.resolve({ pipe: new Socket(), ended, kill })
  }
  return { launch, ends, killed }
}

describe('the spare process of an engine', () => {
  it('is the one that the next start gets, once', async () => {
    const { launch, ends, killed } = launcher()
    const spare = new SpareProcess(launch)
    spare.prepare()
    spare.prepare()
    expect(ends).toHaveLength(1)
    const first = await spare.take()
    const second = await spare.take()
    expect([ends.length, first === second, killed]).toEqual([2, false, []])
  })

  it('is ended if nobody needs it', async () => {
    const { launch, killed } = launcher()
    const spare = new SpareProcess(launch)
    spare.discard()
    spare.prepare()
    spare.discard()
    await spare.take()
    expect(killed).toEqual([0])
  })

  it('is replaced if it has died, or could not be started', async () => {
    const { launch, ends, killed } = launcher()
    const dying = new SpareProcess(launch)
    dying.prepare()
    ends[0]?.('out of memory')
    await new Promise((resolve) => setImmediate(resolve))
    await dying.take()
    expect([ends.length, killed]).toEqual([2, []])
    let tries = 0
    const failing = new SpareProcess(() => ((tries += 1) === 1 ? Promise.reject(new Error('no memory')) : launch()))
    failing.prepare()
    await failing.take()
    expect([tries, ends.length]).toEqual([2, 3])
  })
})
