import { expect, test } from 'vitest'
import { outcomeMetadata, parseOutcome } from '../../plugins/devops/outcome.js'

test('an outcome survives the header', () => {
  const committed = { status: 'committed', block: 7n, index: 3 } as const
  const rejected = { status: 'rejected', block: 8n, error: 'Fehler: 100 % "größer" 💥\n' } as const
  expect(parseOutcome(outcomeMetadata(committed))).toEqual(committed)
  expect(parseOutcome(outcomeMetadata(rejected))).toEqual(rejected)
})

test.each(['x', ' ', 'ß', '💥', '\ud800'])('a rejection that repeats %j for ever fits into a header', (character) => {
  const value = outcomeMetadata({ status: 'rejected', block: 1n, error: character.repeat(1_000_000) })
  expect(value.length).toBeLessThan(4100)
  expect(parseOutcome(value)).toMatchObject({ status: 'rejected', block: 1n })
})
