import { describe, expect, it } from 'vitest'
import { appended, at, campaign, entry, follower, leader, Member } from './member.js'

const vote = (term: number, isPre = false, isYes = true) => ({ kind: 'vote', term, isPre, isYes }) as const

describe('the first leader of an epoch', () => {
  it('leads at once, in term 1, and is the member whose turn it is', () => {
    for (const self of [0, 1, 2]) {
      const member = new Member(self, 3, {}, { epoch: 7n })
      expect(member.view).toMatchObject({ view: 1, leader: 'vp1', role: self === 1 ? 'leader' : 'follower' })
      expect(member.sent('append').map(({ to }) => to)).toEqual(self === 1 ? [0, 2] : [])
    }
  })

  it('orders in its first turn', () => {
    const member = new Member(0, 1).submit('a')
    member.fire('batch')
    expect(member.delivered.map(({ tag }) => tag)).toEqual(['1'])
  })

  it('does not lead again by itself after a restart, and nobody else got its vote of term 1', () => {
    const first = new Member(0).restarted()
    expect(first.view).toMatchObject({ role: 'follower', leader: undefined, term: 1 })
    const other = new Member(1).restarted()
    other.receive(2, campaign(1, at(0, 0)))
    expect(other.sentTo(2, 'vote')).toMatchObject({ isYes: false })
  })

  it('is replaced if it is not there', () => {
    const member = new Member(1)
    member.fire('election').receive(2, vote(2, true)).receive(2, vote(2))
    expect(member.view).toMatchObject({ role: 'leader', term: 2 })
  })
})

describe('standing for election', () => {
  it('asks first, and changes neither its term nor its vote until a majority would follow', () => {
    const member = new Member(1, 5)
    const before = new Map(member.records)
    member.fire('election')
    const asked = member.sent('campaign')
    expect(asked.map(({ to }) => to)).toEqual([0, 2, 3, 4])
    expect(asked.every(({ message, vote: mark }) => message.kind === 'campaign' && message.isPre && message.term === 2 && mark === undefined)).toBe(true)
    expect(member.records).toEqual(before)
    member
      .receive(2, vote(2, true))
      .receive(2, vote(2, true))
      .receive(3, vote(1, true, false))
    expect(member.view).toMatchObject({ term: 1, role: 'candidate' })
    member.receive(4, vote(2, true))
    expect(member.view).toMatchObject({ term: 2, role: 'candidate' })
    expect(member.sent('campaign').map(({ vote: mark }) => mark)).toEqual(Array.from({ length: 4 }, () => ({ slot: 'term 2', value: '1' })))
    expect(member.records).not.toEqual(before)
  })

  it('leads with the votes of a majority of its own term, and begins with an entry of it', () => {
    const member = follower([entry(1, 'a'), entry(1, 'b')], 0)
    member.link(0, false).fire('election').receive(2, vote(2, true))
    member.sent()
    member.receive(2, vote(1)).receive(2, vote(2, true))
    expect(member.view).toMatchObject({ role: 'candidate' })
    member.receive(2, vote(2))
    expect(member.view).toMatchObject({ role: 'leader', leader: 'vp1', term: 2, log: { last: 3 } })
    const append = member.sentTo(2, 'append')
    expect(append).toMatchObject({ term: 2, before: at(2, 1) })
    expect(append.entries.map(({ term, requests }) => [term, requests.length])).toEqual([[2, 0]])
  })

  it('takes part in a higher term that an answer tells of', () => {
    const member = new Member(1)
    member.fire('election').receive(2, vote(9, true, false))
    expect(member.view).toMatchObject({ role: 'follower', term: 9 })
  })

  it('stands again and again, in the same term, while nobody answers', () => {
    const member = new Member(1)
    for (let count = 0; count < 5; count += 1) member.fire('election')
    expect(member.view).toMatchObject({ term: 1 })
  })

  it('does not stand while its state is being transferred', () => {
    const member = follower([entry(1, 'a')]).restarted()
    member.fire('election')
    expect(member.sent('campaign')).toEqual([])
    member.transferred(1n).fire('election')
    expect(member.sent('campaign')).toHaveLength(2)
  })
})

describe('a vote', () => {
  /** A member with the log 1, 1, 2 that hears no leader. */
  const voter = (): Member => {
    const member = follower([entry(1, 'a'), entry(1, 'b'), entry(2, 'c')]).link(0, false)
    member.sent()
    return member
  }

  it.each([
    ['an older last term', at(9, 1), false],
    ['a shorter log', at(2, 2), false],
    ['the same log', at(3, 2), true],
    ['a longer log', at(4, 2), true],
    ['a newer last term', at(1, 3), true],
  ])('for %s', (_, last, isYes) => {
    for (const isPre of [true, false]) {
      const member = voter().receive(2, campaign(5, last, { isPre }))
      expect(member.sentTo(2, 'vote')).toMatchObject({ isYes, isPre })
    }
  })

  it('is given once in a term, also after a restart', () => {
    const member = voter().receive(2, campaign(5, at(3, 2)))
    expect(member.sent('vote')).toMatchObject([{ to: 2, message: { term: 5, isYes: true }, vote: { slot: 'term 5', value: '2' } }])
    for (const same of [member, member.restarted()]) {
      same.receive(0, campaign(5, at(9, 4)))
      expect(same.sentTo(0, 'vote')).toMatchObject({ isYes: false, term: 5 })
      same.receive(2, campaign(5, at(3, 2)))
      expect(same.sentTo(2, 'vote')).toMatchObject({ isYes: true })
      same.receive(0, campaign(6, at(9, 4)))
      expect(same.sentTo(0, 'vote')).toMatchObject({ isYes: true, term: 6 })
      same.receive(2, campaign(6, at(9, 4)))
      expect(same.sentTo(2, 'vote')).toMatchObject({ isYes: false })
    }
  })

  it('is refused as long as the leader is heard, and its term is not taken, unless the leader itself hands over', () => {
    const member = follower([entry(1, 'a')])
    member.receive(2, campaign(9, at(9, 9), { isPre: true })).receive(2, campaign(9, at(9, 9)))
    expect(member.sent('vote')).toMatchObject([{ message: { isPre: true, isYes: false, term: 1 } }])
    expect(member.view).toMatchObject({ term: 1, leader: 'vp0' })
    member.receive(2, campaign(9, at(9, 9), { isHandOver: true }))
    expect(member.sentTo(2, 'vote')).toMatchObject({ isYes: true, term: 9 })
  })

  it('is given after the leader was silent for the time-out', () => {
    const member = follower([entry(1, 'a')], 0, { electionTimeoutMs: 300, heartbeatMs: 50 })
    member.now += 299
    member.receive(2, campaign(2, at(1, 1), { isPre: true }))
    expect(member.sentTo(2, 'vote')).toMatchObject({ isYes: false })
    member.now += 1
    member.receive(2, campaign(2, at(1, 1), { isPre: true }))
    expect(member.sentTo(2, 'vote')).toMatchObject({ isYes: true })
  })
})

describe('a leader', () => {
  it('steps down when a majority is silent, and stays while it is not', () => {
    const member = leader(['a'], 3, { electionTimeoutMs: 300, heartbeatMs: 100 })
    for (let beat = 0; beat < 10; beat += 1) {
      member.receive(2, appended(1, 1))
      member.fire('heartbeat')
    }
    expect(member.view).toMatchObject({ role: 'leader' })
    member.fire('heartbeat').fire('heartbeat')
    expect(member.view).toMatchObject({ role: 'follower', leader: undefined, term: 1 })
    expect(member.timers.has('heartbeat')).toBe(false)
    expect(member.timers.has('election')).toBe(true)
  })

  it('steps down for a higher term, and tells an older leader of its own', () => {
    const member = leader(['a']).receive(1, appended(4, 0, { isOk: false }))
    expect(member.view).toMatchObject({ role: 'follower', term: 4 })
    member.sent()
    member.receive(2, { kind: 'append', term: 3, before: at(0, 0), commit: 0, entries: [] })
    expect(member.sentTo(2, 'appended')).toMatchObject({ term: 4, isOk: false })
  })

  it('does not listen to another leader of its term', () => {
    const member = leader(['a']).receive(2, { kind: 'append', term: 1, before: at(0, 0), commit: 9, entries: [entry(1, 'z')] })
    expect(member.sent('appended')).toEqual([])
    expect(member.view).toMatchObject({ role: 'leader', commit: 0 })
  })
})

describe('handing over', () => {
  const handing = (): Member => {
    const member = leader(['a', 'b'], 3, { handOverBlocks: 2 })
    for (const to of [1, 2]) member.receive(to, appended(1, 2))
    member.answer().answer()
    member.sent()
    return member
  }

  it('goes to the next member that has everything, which stands at once', () => {
    const member = handing().fire('heartbeat')
    expect(member.sent('hand-over')).toMatchObject([{ to: 1, message: { term: 1 } }])
    const next = follower([entry(1, 'a'), entry(1, 'b')], 2).receive(0, { kind: 'hand-over', term: 1 })
    expect(next.sent('campaign')).toMatchObject([{ message: { term: 2, isPre: false, isHandOver: true } }, { message: { term: 2 } }])
  })

  it('waits until that one has caught up, orders nothing meanwhile, and goes on if nothing comes of it', () => {
    const member = handing().submit('c')
    member.sent()
    member.fire('heartbeat').submit('d')
    expect(member.sent().filter(({ message }) => message.kind !== 'append' || message.entries.length > 0)).toEqual([])
    member.receive(1, appended(1, 3))
    expect(member.sent('hand-over')).toMatchObject([{ to: 1 }])
    expect(member.view).toMatchObject({ log: { last: 3 } })
    member.receive(2, appended(1, 3)).fire('hand-over')
    expect(member.sentTo(1, 'append').entries).toHaveLength(1)
  })

  it('does not go to who is silent or behind', () => {
    const member = handing()
    member.now += 10_000
    member.receive(2, appended(1, 2)).fire('heartbeat')
    expect(member.sent('hand-over')).toMatchObject([{ to: 2 }])
  })
})
