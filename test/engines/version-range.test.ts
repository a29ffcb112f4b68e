import { describe, expect, it } from 'vitest'
import { takesVersion } from '../../plugins/engines/packages/version-range.js'

describe('a range of npm', () => {
  it.each([
    ['^0.1.0', '0.1.0', true],
    ['^0.1.0', '0.1.9', true],
    ['^0.1.0', '0.2.0', false],
    ['^0.1', '0.1.3', true],
    ['^0', '0.9.0', true],
    ['^1.2.3', '1.9.0', true],
    ['^1.2.3', '1.2.2', false],
    ['^1.2.3', '2.0.0', false],
    ['^0.0.3', '0.0.4', false],
    ['~1.2.3', '1.2.9', true],
    ['~1.2.3', '1.3.0', false],
    ['~1', '1.9.9', true],
    ['1.2.3', '1.2.3', true],
    ['1.2.3', '1.2.4', false],
    ['1.x', '1.7.0', true],
    ['1', '2.0.0', false],
    ['*', '7.0.0', true],
    ['', '7.0.0', true],
    ['>=0.1 <0.3', '0.2.9', true],
    ['>=0.1 <0.3', '0.3.0', false],
    ['>= 0.1.0', '0.1.0', true],
    ['>1', '1.5.0', false],
    ['>1', '2.0.0', true],
    ['<=1.2', '1.2.9', true],
    ['^0.1.0 || ^1.0.0', '1.4.0', true],
    ['^0.1.0 || ^1.0.0', '2.0.0', false],
    ['1.0.0 - 2.0.0', '1.5.0', undefined],
    ['latest', '1.5.0', undefined],
    ['^1.0.0-beta.1', '1.0.0', undefined],
  ] as const)('%j takes %s: %s', (range, version, expected) => {
    expect(takesVersion(range, version)).toBe(expected)
  })
})
