import { describe, expect, it } from 'vitest'
import { hotstuff } from '../src/index.js'

const { parseOptions } = hotstuff

describe('the options', () => {
  it('have defaults', () => {
    expect(parseOptions(undefined)).toEqual({ batchSize: 500, batchMs: 20, viewTimeoutMs: 2000 })
    expect(parseOptions({ batchSize: 7 })).toEqual({ batchSize: 7, batchMs: 20, viewTimeoutMs: 2000 })
  })

  it.each([
    [{ batchsize: 7 }, 'batchsize: unknown; there are batchSize, batchMs, viewTimeoutMs'],
    [{ batchSize: 0 }, 'batchSize: expected a whole number from 1 to 10000, found 0'],
    [{ viewTimeoutMs: '2s' }, 'viewTimeoutMs: expected a whole number from 50 to 600000, found "2s"'],
    [7, 'expected an object, found 7'],
  ])('refuse %j', (raw, message) => {
    expect(() => parseOptions(raw)).toThrow(message)
  })
})
