import { expect, it } from 'vitest'
import { createRequestBook } from '../../../plugins/consensus/index.js'

const bookOf = (maxPerMember: number, maxBytesPerMember: number) =>
  createRequestBook<string>({ maxPerMember, maxBytesPerMember, maxExecuted: 10, bytesOf: ({ length }) => length })
const from = (member: number, id: string, content = id, isOwn = false) => ({ id, from: member, isOwn, isQueued: false, content })

it('bounds what it keeps of each other member, by number and by bytes', () => {
  const book = bookOf(2, 100)
  expect([from(1, 'a'), from(1, 'b'), from(1, 'c'), from(2, 'd')].map((request) => book.add(request))).toEqual([true, true, false, true])
  const small = bookOf(10, 5)
  expect([from(1, 'a', 'much too long'), from(1, 'b'), from(2, 'c', '1234'), from(2, 'd', '12')].map((request) => small.add(request))).toEqual([
    true,
    false,
    true,
    false,
  ])
  book.remove('a')
  expect(book.add(from(1, 'c'))).toBe(true)
})

it('keeps all own requests: the host has accepted them, in the number that its site allows', () => {
  const book = bookOf(2, 3)
  for (const id of ['a', 'b', 'c', 'd']) expect(book.add(from(0, id, id, true))).toBe(true)
  expect([...book.own()].map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd'])
})
