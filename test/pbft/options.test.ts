import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parsePbftOptions, pbft, pbftKeys } from '../../plugins/pbft/index.js'
import { quorumsOf } from '../../plugins/pbft/options.js'

const members = (count: number) => Array.from({ length: count }, (_, index) => ({ index, id: `vp${index}` }))

describe('options of PBFT', () => {
  it("the keys have v0.6's names and defaults (spec/consensus.md §14.1), but N: without it the validators are those that are listed", () => {
    const defaults = Object.fromEntries(Object.entries(pbftKeys).map(([name, { fallback }]) => [name.replace('pbft.', ''), fallback]))
    expect(defaults).toEqual({
      'general.mode': 'batch',
      'general.N': undefined,
      'general.f': 1,
      'general.K': 10,
      'general.logmultiplier': 4,
      'general.batchsize': 500,
      'general.byzantine': false,
      'general.viewchangeperiod': 0,
      'general.timeout.batch': '1s',
      'general.timeout.request': '2s',
      'general.timeout.viewchange': '2s',
      'general.timeout.resendviewchange': '2s',
      'general.timeout.nullrequest': '0s',
      'general.timeout.broadcast': '1s',
      'executor.queuesize': 30,
      batching: 'adaptive',
    })
  })
  it('without options everything is the default', () => {
    expect(parsePbftOptions(undefined)).toEqual({
      N: undefined,
      f: undefined,
      K: 10,
      logMultiplier: 4,
      batchSize: 500,
      batching: 'adaptive',
      viewChangePeriod: 0,
      batchMs: 1000,
      requestMs: 2000,
      viewChangeMs: 2000,
      resendMs: 2000,
      nullRequestMs: 0,
    })
  })
  it('a batch time-out that is not below the request time-out moves it, and that the one of null requests (§10.2)', () => {
    expect(parsePbftOptions({ 'timeout.batch': '2s', 'timeout.request': '2s', 'timeout.nullrequest': '3s' })).toMatchObject({
      requestMs: 3000,
      nullRequestMs: 4500,
    })
    expect(parsePbftOptions({ 'timeout.nullrequest': '10s' })).toMatchObject({ requestMs: 2000, nullRequestMs: 10_000 })
  })
  it('a batch size of 0 is 1', () => expect(parsePbftOptions({ batchsize: 0 }).batchSize).toBe(1))
  it.each([
    [{ mode: 'classic' }, /mode: expected batch/],
    [{ byzantine: true }, /byzantine: this validator does not misbehave/],
    [{ logmultiplier: 1 }, /logmultiplier/],
    [{ K: 0 }, /K/],
    [{ N: 3, f: 1 }, /f: with 3 in all at most 0 may be faulty; found 1/],
    [{ 'timeout.request': 'soon' }, /timeout\.request/],
    [{ 'timeout.viewchange': '0s' }, /timeout\.viewchange: expected a duration above zero/],
    [{ logMultiplier: 4 }, /logMultiplier/],
  ])('%j is refused', (options, message) => expect(() => parsePbftOptions(options)).toThrow(message))
  it('N and f have to fit the members', () => {
    expect(() => quorumsOf({ N: 7, f: 2 }, members(4))).toThrow(/general\.N is 7, but the network has 4 validators \(vp0, vp1, vp2, vp3\)/)
    expect(() => quorumsOf({ f: 2 }, members(4))).toThrow(/with 4 in all at most 1 may be faulty/)
    expect(quorumsOf({}, members(16))).toEqual({ N: 16, f: 5, intersection: 11, viewChange: 11 })
  })
  it('says what it tolerates', () => {
    expect([1, 3, 4, 7, 16].map((count) => pbft.tolerates(count))).toEqual([0, 0, 1, 2, 5].map((f) => ({ crashed: f, byzantine: f })))
    expect(pbft.agreement).toBe(true)
  })
  it('the plugin has less than 1,500 lines of code, without empty lines and comments', () => {
    const folder = new URL('../../plugins/pbft/', import.meta.url)
    const lines = readdirSync(folder)
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => readFileSync(new URL(name, folder), 'utf8').split('\n'))
    expect(lines.filter((line) => !/^\s*($|\/\/|\/\*|\*)/.test(line)).length).toBeLessThan(1500)
  })
})
