import { expect, test } from 'vitest'
import { withKnownNames } from '../../plugins/consensus/option-names.js'
import { parseNoopsOptions } from '../../plugins/noops/options.js'
import { parsePbftOptions } from '../../plugins/pbft/options.js'

test('options have the names that the engine knows, in whatever case they were written', () => {
  const known = ['batchsize', 'timeout.request', 'N', 'n']
  expect(withKnownNames({ batchSize: 1, 'Timeout.Request': '2s' }, known)).toEqual({ batchsize: 1, 'timeout.request': '2s' })
  expect(withKnownNames({ batchsize: 1, n: 2, other: 3 }, known)).toEqual({ batchsize: 1, n: 2, other: 3 })
})

test('a name that could be two, or is there already, stays as it is for the engine to refuse', () => {
  expect(withKnownNames({ batchsize: 1, batchSize: 2 }, ['batchsize'])).toEqual({ batchsize: 1, batchSize: 2 })
  expect(withKnownNames({ AB: 1 }, ['ab', 'Ab'])).toEqual({ AB: 1 })
})

const faultsOf = (parse: (raw: unknown) => unknown, raw: unknown): unknown => {
  try {
    return parse(raw)
  } catch (error) {
    return error instanceof Error ? error.message : error
  }
}

test('what is wrong with options says what was expected and found', () => {
  expect(faultsOf(parsePbftOptions, { batchsize: 'many', colour: 1 })).toMatch(
    /^the options of pbft are wrong: batchsize: expected a whole number, found "many"; colour: unknown; there are mode, N, f, .*, batching$/,
  )
  expect(faultsOf(parsePbftOptions, { batchsize: -1 })).toMatch(/batchsize: .*>=0, found -1$/)
  expect(faultsOf(parsePbftOptions, { 'timeout.request': '2 sec' })).toMatch(
    /timeout\.request: expected a duration with a unit, such as 5s or 1m30s, found "2 sec"$/,
  )
  expect(faultsOf(parsePbftOptions, 'fast')).toMatch(/expected an object, found "fast"$/)
  expect(faultsOf(parseNoopsOptions, { 'block.wait': 'soon' })).toMatch(
    /block\.wait: expected whole seconds or a duration such as 500ms, above zero; found 'soon'$/,
  )
  expect(faultsOf(parseNoopsOptions, { size: 1 })).toMatch(/size: unknown; there are block\.size, block\.wait, batching$/)
})
