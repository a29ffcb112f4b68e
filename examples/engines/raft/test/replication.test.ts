import { describe, expect, it } from 'vitest'
import { appended, at, campaign, entry, follower, leader, Member, request } from './member.js'

const logKeys = (member: Member): string[] => [...member.records.keys()].filter((key) => key.startsWith('raft.log.')).sort()

describe('a leader', () => {
  it('puts what arrives in one turn into one entry, and does not wait for answers before it sends the next', () => {
    const member = leader([], 3, { batchSize: 100 }).submit('a', 'b', 'c')
    expect(member.sent()).toEqual([])
    member.fire('batch')
    expect(member.sentTo(1, 'append').entries.map(({ requests }) => requests.map(({ id }) => id))).toEqual([['a', 'b', 'c'].map((name) => request(name).id)])
    member.now += 60
    member.submit('d').fire('batch')
    expect(member.sentTo(2, 'append')).toMatchObject({ before: at(1, 1), entries: [{ term: 1 }] })
  })

  it('has no more batches on their way than the pipeline is long', () => {
    const member = leader(['a', 'b', 'c'], 3, { pipeline: 2 })
    member.fire('heartbeat')
    expect(member.view).toMatchObject({ log: { last: 2 } })
    member.receive(1, appended(1, 2)).answer()
    expect(member.view).toMatchObject({ log: { last: 3 } })
  })

  it('commits what a majority has, tells at once, and delivers in order', () => {
    const member = leader(['a', 'b', 'c'], 5)
    member.receive(1, appended(1, 3)).receive(2, appended(1, 2))
    expect(member.view).toMatchObject({ role: 'leader' })
    expect(member.sentTo(3, 'append')).toMatchObject({ commit: 2, entries: [] })
    expect(member.delivered.map(({ tag, ids }) => [tag, ids])).toEqual([
      ['1', [request('a').id]],
      ['2', [request('b').id]],
    ])
  })

  it('does not commit an entry of an older term because a majority has it', () => {
    const member = follower([entry(1, 'a')], 0)
    member.link(0, false).fire('election')
    member.receive(2, { kind: 'vote', term: 2, isPre: true, isYes: true }).receive(2, { kind: 'vote', term: 2, isPre: false, isYes: true })
    member.receive(2, appended(2, 1))
    expect(member.delivered).toEqual([])
    member.receive(2, appended(2, 2))
    expect(member.delivered.map(({ tag }) => tag)).toEqual(['1'])
  })

  it('looks further back where the logs part, one message at a time, and then sends everything', () => {
    const member = leader(['a', 'b', 'c', 'd'])
    member.link(2, false).link(2, true)
    expect(member.sentTo(2, 'append')).toMatchObject({ before: at(0, 0) })
    member.receive(2, appended(1, 4))
    member.sent()
    member.receive(2, appended(1, 3, { isOk: false, before: 3 }))
    expect(member.sent('append')).toEqual([]) // of before the logs met
    const restarted = new Member(1, 3, {}, { restored: member.records })
    restarted.transferred(1n).fire('election')
    restarted.receive(2, { kind: 'vote', term: 2, isPre: true, isYes: true }).receive(2, { kind: 'vote', term: 2, isPre: false, isYes: true })
    expect(restarted.sentTo(2, 'append')).toMatchObject({ before: at(4, 1), entries: [{ term: 2 }] })
    restarted.receive(2, appended(2, 1, { isOk: false, before: 4 }))
    const again = restarted.sentTo(2, 'append')
    expect(again).toMatchObject({ before: at(1, 1) })
    expect(again.entries).toHaveLength(4)
    restarted.receive(2, appended(2, 1, { isOk: false, before: 4 }))
    expect(restarted.sent('append')).toEqual([])
  })

  it('sends again what a broken link may have lost', () => {
    const member = leader(['a', 'b'])
    member.link(1, false).link(1, true)
    expect(member.sentTo(1, 'append').entries).toHaveLength(2)
  })

  it('does not flood a follower that delivers slowly', () => {
    const member = leader([], 3, { pipeline: 64 })
    for (let index = 1; index <= 100; index += 1) {
      member
        .submit(`t${index}`)
        .receive(1, appended(1, index, { delivered: index }))
        .answer()
      if (index <= 64) member.receive(2, appended(1, index))
    }
    const newest = member
      .sent('append')
      .filter(({ to }) => to === 2)
      .map(({ message }) => (message.kind === 'append' ? message.before.index + message.entries.length : 0))
    expect(Math.max(...newest)).toBeLessThan(70)
    member.receive(2, appended(1, 64, { delivered: 60 }))
    expect(member.sentTo(2, 'append').entries.length).toBeGreaterThan(25)
  })
})

describe('a follower', () => {
  it('keeps entries before it says so, and delivers what is committed', () => {
    const member = new Member(1).receive(0, { kind: 'append', term: 1, before: at(0, 0), commit: 1, entries: [entry(1, 'a'), entry(1, 'b')] })
    expect(logKeys(member)).toHaveLength(2)
    expect(member.sentTo(0, 'appended')).toMatchObject({ isOk: true, index: 2 })
    expect(member.delivered).toHaveLength(1)
  })

  it('does not take entries behind a gap, or behind another entry, and says where to look', () => {
    const member = follower([entry(1, 'a'), entry(2, 'b'), entry(2, 'c')], 1)
    member.receive(0, { kind: 'append', term: 3, before: at(7, 2), commit: 7, entries: [entry(3, 'x')] })
    expect(member.sentTo(0, 'appended')).toMatchObject({ isOk: false, before: 7, index: 3 })
    member.receive(0, { kind: 'append', term: 3, before: at(3, 3), commit: 3, entries: [entry(3, 'x')] })
    expect(member.sentTo(0, 'appended')).toMatchObject({ isOk: false, before: 3, index: 1 })
    expect(member.delivered).toHaveLength(1)
  })

  it('takes back entries that another leader did not get through, also on disk', () => {
    const member = follower([entry(1, 'a'), entry(2, 'b'), entry(2, 'c'), entry(2, 'd')], 1)
    member.receive(0, { kind: 'append', term: 3, before: at(1, 1), commit: 2, entries: [entry(3, 'x')] })
    expect(member.sentTo(0, 'appended')).toMatchObject({ isOk: true, index: 2 })
    expect(logKeys(member)).toHaveLength(2)
    member.answer()
    expect(member.delivered.map(({ ids }) => ids)).toEqual([[request('a').id], [request('x').id]])
    expect(member.restarted().view).toMatchObject({ log: { last: 2 }, term: 3 })
  })

  it('does not take back entries because an old message comes late', () => {
    const member = follower([entry(1, 'a'), entry(1, 'b'), entry(1, 'c')])
    member.receive(0, { kind: 'append', term: 1, before: at(0, 0), commit: 0, entries: [entry(1, 'a')] })
    expect(logKeys(member)).toHaveLength(3)
  })

  it('never takes back what is committed, and never commits what it has not compared', () => {
    const member = follower([entry(1, 'a'), entry(1, 'b')], 2)
    member.receive(0, { kind: 'append', term: 3, before: at(0, 0), commit: 2, entries: [entry(3, 'x')] })
    expect(member.sent('appended')).toEqual([])
    expect(logKeys(member)).toHaveLength(2)
    const other = follower([entry(1, 'a'), entry(1, 'b')])
    other.receive(0, { kind: 'append', term: 1, before: at(1, 1), commit: 2, entries: [] })
    expect(other.delivered.map(({ tag }) => tag)).toEqual(['1'])
  })

  it('goes to a candidate that was elected', () => {
    const member = follower([entry(1, 'a')])
      .link(0, false)
      .receive(2, campaign(2, at(1, 1)))
    member.receive(2, { kind: 'append', term: 2, before: at(1, 1), commit: 1, entries: [entry(2)] })
    expect(member.view).toMatchObject({ leader: 'vp2', term: 2, commit: 1 })
  })
})
