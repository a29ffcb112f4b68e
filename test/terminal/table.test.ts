import { expect, it } from 'vitest'
import { keyTree, table } from '../../plugins/terminal/index.js'
import { expectHarmless } from './hostile-text.js'

it('a table has columns as wide as their widest cells, and rows that go over the rest', () => {
  expect(
    table([
      ['id', 'engine', 'height'],
      ['vp10', 'pbft', '7'],
      ['vp1', 'no answer: it is far away'],
      ['vp2', '', '12', 'more'],
    ]),
  ).toEqual(['id    engine  height', 'vp10  pbft    7', 'vp1   no answer: it is far away', 'vp2           12      more'])
  expect(
    table(
      [
        ['load', 'ms'],
        ['a', '1234'],
        ['bc', '5'],
      ],
      'figures',
    ),
  ).toEqual(['load    ms', 'a     1234', 'bc       5'])
  expect(table([])).toEqual([''])
})

it('a table shows no text of others as it comes', () => {
  expectHarmless((text) => table([['id', text], [text, 'x'], [text]], 'figures').join(''))
})

it('values under dotted keys nest as in a file', () => {
  const tree = keyTree([
    ['a.b', 1],
    ['a.c.d', 'x'],
    ['e', [true]],
    ['e.f', 2],
  ])
  expect(tree).toEqual(
    new Map([
      [
        'a',
        new Map<string, unknown>([
          ['b', '1'],
          ['c', new Map([['d', '"x"']])],
        ]),
      ],
      ['e', new Map([['f', '2']])],
    ]),
  )
})
