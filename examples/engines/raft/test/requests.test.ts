import { describe, expect, it } from 'vitest'
import { appended, at, entry, follower, leader, Member, request } from './member.js'

const idsOf = (member: Member, to: number): string[] =>
  member.sent('forward').flatMap((sent) => (sent.to === to && sent.message.kind === 'forward' ? sent.message.requests.map(({ id }) => id) : []))
const ids = (...names: readonly string[]): string[] => names.map((name) => request(name).id)
const forward = (delivered: number, ...names: readonly string[]) => ({ kind: 'forward', delivered, requests: names.map(request) }) as const

describe('a follower', () => {
  it('passes the requests of one turn on in one message', () => {
    const member = follower([]).submit('a', 'b').submit('c')
    expect(member.sent()).toEqual([])
    member.fire('forward')
    const sent = member.sent('forward')
    expect(sent.map(({ to }) => to)).toEqual([0])
    expect(sent.flatMap(({ message }) => (message.kind === 'forward' ? message.requests.map(({ id }) => id) : []))).toEqual(ids('a', 'b', 'c'))
  })

  it('passes them on in parts if they are many', () => {
    const many = Array.from({ length: 1200 }, (_, index) => `t${index}`)
    const member = follower([]).submit(...many)
    member.fire('forward')
    const sent = member.sent('forward')
    expect(sent.length).toBe(3)
    expect(sent.flatMap(({ message }) => (message.kind === 'forward' ? message.requests.map(({ id }) => id) : []))).toEqual(ids(...many))
  })

  it('passes them on again to another leader, also those in entries that are not committed, but nothing that is decided', () => {
    const member = follower([]).submit('a', 'b', 'c')
    member.fire('forward').receive(0, { kind: 'append', term: 1, before: at(0, 0), commit: 1, entries: [entry(1, 'a'), entry(1, 'b')] })
    member.sent()
    member.receive(2, { kind: 'append', term: 2, before: at(2, 1), commit: 1, entries: [] }).fire('forward')
    expect(idsOf(member, 2)).toEqual(ids('b', 'c'))
  })

  it('passes them on again when the link to the leader comes back', () => {
    const member = follower([]).submit('a')
    member.fire('forward').link(0, false)
    member.sent()
    member
      .link(0, true)
      .receive(0, { kind: 'append', term: 1, before: at(0, 0), commit: 0, entries: [] })
      .fire('forward')
    expect(idsOf(member, 0)).toEqual(ids('a'))
  })

  it('passes on again after a while what is in no log', () => {
    const member = follower([]).submit('a', 'b')
    member.fire('forward').receive(0, { kind: 'append', term: 1, before: at(0, 0), commit: 0, entries: [entry(1, 'a')] })
    member.sent()
    member.fire('retry')
    expect(idsOf(member, 0)).toEqual(ids('b'))
  })

  it('waits for a leader, and forgets what is in a block', () => {
    const member = follower([]).link(0, false).submit('a')
    expect(member.timers.has('forward')).toBe(false)
    member.receive(2, { kind: 'append', term: 2, before: at(0, 0), commit: 1, entries: [entry(2, 'a')] }).answer()
    expect(member.view).toMatchObject({ waiting: 0 })
    member.fire('retry')
    expect(idsOf(member, 2)).toEqual([])
  })
})

describe('a leader', () => {
  it('orders a request once, whoever brings it', () => {
    const member = leader(['a'], 3)
      .receive(1, forward(0, 'a', 'b'))
      .receive(2, forward(0, 'b'))
      .submit('b')
    expect(member.view).toMatchObject({ log: { last: 2 } })
    member.receive(1, appended(1, 2)).answer().answer()
    member.receive(2, forward(0, 'a', 'b')).submit('a')
    expect(member.view).toMatchObject({ log: { last: 2 }, waiting: 0 })
    expect(member.forgotten).toEqual(ids('a'))
  })

  it('does not order what the chain held at its start', () => {
    const member = new Member(0, 3, { batchSize: 1 }, { executed: ids('a') }).receive(1, forward(0, 'a'))
    expect(member.view).toMatchObject({ log: { last: 0 } })
  })

  it('orders a rejected request again only for a member that knows that it was rejected', () => {
    const member = leader(['a'], 3)
    member.receive(1, appended(1, 1)).answer('block', ['a'])
    member.receive(1, forward(0, 'a'))
    expect(member.view).toMatchObject({ log: { last: 1 } })
    member.receive(1, forward(1, 'a'))
    expect(member.view).toMatchObject({ log: { last: 2 } })
  })

  it('takes nothing of a member that may not know of blocks of which this one has no ids', () => {
    const member = leader([], 3, { retainEntries: 2 })
    for (let index = 1; index <= 9; index += 1) member.submit(`t${index}`).receive(1, appended(1, index)).answer()
    member.receive(2, forward(0, 'x'))
    expect(member.view).toMatchObject({ log: { last: 9 } })
    member.receive(2, forward(9, 'x'))
    expect(member.view).toMatchObject({ log: { last: 10 } })
  })

  it('gives the requests of others back to them when it steps down, and keeps its own', () => {
    const member = leader([], 3, { pipeline: 1 })
      .submit('a', 'b')
      .receive(1, forward(0, 'c', 'd'))
    expect(member.view).toMatchObject({ log: { last: 1 } })
    member.receive(2, { kind: 'append', term: 2, before: at(0, 0), commit: 0, entries: [entry(2)] })
    expect(member.view).toMatchObject({ waiting: 2, log: { last: 1 } })
    member.fire('forward')
    expect(idsOf(member, 2)).toEqual(ids('a', 'b'))
  })

  it('cuts a very large batch into several entries, and counts them as one', () => {
    const member = leader([], 1, { batchSize: 3, pipeline: 1 })
    const large = (name: string) => request(`${name}${'x'.repeat(3_000_000)}`)
    member.receive(0, { kind: 'forward', delivered: 0, requests: ['a', 'b', 'c'].map(large) })
    expect(member.delivered).toHaveLength(3)
    member.submit('d').answer().answer()
    expect(member.view).toMatchObject({ log: { last: 3 } })
    member.answer()
    expect(member.delivered).toHaveLength(4)
  })
})
