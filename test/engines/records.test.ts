import { describe, expect, it } from 'vitest'
import { fitting, defaultProcessLimits } from '../../plugins/engines/process/limits.js'
import { isolated, requestOf, startAt, stopped, witness } from './kit.js'

const MIB = 1024 * 1024
/** As the least memory that a site can give an engine. */
const small = fitting({ ...defaultProcessLimits, sandbox: 'none', memoryBytes: 128 * MIB, maxRestarts: 0 })

/** Records of equal size, as many as fit below the limit. */
function fullOf(keyLength: number, valueLength: number, most = small.maxRecords): ReadonlyMap<string, Uint8Array> {
  const count = Math.min(most, Math.floor(small.maxRecordBytes / (128 + 2 * keyLength + valueLength)))
  return new Map(Array.from({ length: count }, (_, at) => [String(at).padStart(keyLength, 'k'), new Uint8Array(valueLength).fill(at)]))
}

describe('records that an engine was allowed to store', () => {
  it('are limited to what its process can bear', () => {
    expect(small).toMatchObject({ maxRecordBytes: 32 * MIB, maxAnswerBytes: 16 * MIB })
    expect(fitting(defaultProcessLimits)).toEqual(defaultProcessLimits)
  })

  it.each([
    ['one, as long as it may be', fullOf(20, 32 * MIB - 168)],
    ['some that are long', fullOf(20, 4 * MIB - 168)],
    ['as many as may be', fullOf(40, 120)],
    ['whose keys are as long as may be', fullOf(512, 8)],
  ])('come back at a start in the least memory: %s', async (_, restored) => {
    const seen = witness()
    const seat = (await isolated('hostile', {}, small))(seen.options)
    seat.begin(startAt(0n, restored))
    seat.post({ type: 'request', request: requestOf('after the start') })
    await seen.until(() => seen.faults.length > 0 || seen.losses.length > 0 || seen.carried.flat().some(({ type }) => type === 'deliver'))
    expect(seen).toMatchObject({ faults: [], losses: [] })
    await seat.dispose()
  })

  it('are refused, in words, before they are more than come back', async () => {
    const seen = witness()
    const seat = (await isolated('hostile', { deed: 'hoard' }, small))(seen.options)
    seat.begin(startAt(0n))
    seat.post({ type: 'request', request: requestOf('hoard') })
    await stopped(seat, seen)
    expect(seen.faults).toEqual([
      expect.stringMatching(/^it keeps records of more than 33554432 bytes \(consensus\.isolation\.maxRecordMiB, and at most a quarter/),
    ])
    expect(seen.losses).toEqual([])
    await seat.dispose()
  })

  it('that are more, since a site gives less memory than before, are told of', async () => {
    const seen = witness()
    const seat = (await isolated('hostile', {}, small))(seen.options)
    seat.begin(startAt(0n, new Map([['big', new Uint8Array(33 * MIB)]])))
    await seen.until(() => seen.faults.length > 0)
    expect(seen.faults).toEqual([
      expect.stringMatching(/its 1 stored records of 34603142 bytes are more than .* raise consensus\.isolation\.maxRecords, or maxRecordMiB and maxMemoryMiB/),
    ])
    await seat.dispose()
  })
})

it('effects of more bytes than fit are refused in words, not put together', async () => {
  const seen = witness()
  const seat = (await isolated('hostile', { deed: 'giant' }, small))(seen.options)
  seat.begin(startAt(0n))
  seat.post({ type: 'request', request: requestOf('giant') })
  await seen.until(() => seen.faults.length > 0 || seen.losses.length > 0)
  expect(seen.faults).toEqual([expect.stringMatching(/effects of 9437\d{5} bytes in one handler, more than 16777216/)])
  await seat.dispose()
})
