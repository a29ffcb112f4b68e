import { describe, expect, it } from 'vitest'
import { appended, at, entry, follower, leader, Member, request } from './member.js'
import { Metadata } from '../src/records.js'

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `t${index + 1}`)

describe('delivering', () => {
  it('hands over no more than the window, in order, and makes no block of an entry without requests', () => {
    const entries = [entry(1), ...names(12).map((name) => entry(1, name))]
    const member = follower(entries, 13)
    expect(member.delivered.map(({ tag }) => tag)).toEqual(['2', '3', '4', '5', '6', '7', '8', '9'])
    member.answer()
    expect(member.delivered.at(-1)?.tag).toBe('10')
    expect(Metadata.decode(member.delivered.at(-1)?.metadata)).toEqual(at(10, 1))
  })

  it('goes on after a restart behind the last block, with the same log', () => {
    const member = follower([entry(1, 'a'), entry(1, 'b'), entry(1, 'c')], 3)
      .answer()
      .answer()
    const again = member.restarted()
    expect(again.transfers).toMatchObject([{ height: 3n, members: [] }]) // makes the state whole if it is not
    again.transferred(3n).receive(0, { kind: 'append', term: 1, before: at(3, 1), commit: 3, entries: [] })
    expect(again.delivered.map(({ ids }) => ids)).toEqual([[request('c').id]])
  })

  it('begins behind the head block if that is beyond the log, or another entry than there', () => {
    const member = follower([entry(1, 'a'), entry(1, 'b')], 1).answer()
    for (const head of [at(9, 4), at(2, 2)]) {
      const metadata = Metadata.encode(head)
      const again = new Member(1, 3, {}, { restored: member.records, metadata })
      expect(again.view).toMatchObject({ delivered: head.index, log: { first: head.index + 1, last: head.index } })
    }
  })

  it('starts anew behind blocks that are not of Raft', () => {
    expect(new Member(0, 3, {}, { metadata: Buffer.from('of another engine') }).view).toMatchObject({ role: 'leader', delivered: 0 })
  })

  it('refuses damaged records', () => {
    const { records } = follower([entry(1, 'a')])
    for (const key of records.keys()) {
      const damaged = new Map([...records, [key, Buffer.from('damaged')]])
      expect(() => new Member(1, 3, {}, { restored: damaged })).toThrow(expect.objectContaining({ code: 'ERR_RAFT_RECORD' }))
    }
  })

  it('orders again what was in a delivery that is void', () => {
    const member = leader(['a'], 3)
    member.receive(1, appended(1, 1)).answer('skipped')
    expect(member.sentTo(1, 'append').entries.map(({ requests }) => requests.map(({ id }) => id))).toEqual([[request('a').id]])
    expect(member.view).toMatchObject({ log: { last: 2 } })
  })

  it('delivers nothing above the height at which it is sealed, orders nothing more, and goes on voting', () => {
    const member = leader(['a', 'b'], 3).seal(2n)
    member.receive(1, appended(1, 2))
    expect(member.delivered.map(({ tag }) => tag)).toEqual(['1']) // from height 1 to 2
    member.answer().submit('c')
    expect(member.delivered).toHaveLength(1)
    expect(member.view).toMatchObject({ log: { last: 2 } })
    member.fire('heartbeat')
    expect(member.sent('append')).not.toEqual([])
  })
})

describe('the length of the log', () => {
  it('is bounded by entries', () => {
    const member = leader([], 1, { retainEntries: 8 })
    for (const name of names(40)) member.submit(name).answer()
    expect(member.view).toMatchObject({ delivered: 40 })
    expect(member.records.size).toBeLessThan(14)
    const again = member.restarted()
    expect(again.view).toMatchObject({ delivered: 40, log: { last: 40 } })
  })

  it('is bounded by bytes', () => {
    const member = leader([], 1, { retainBytes: 1000 })
    for (const name of names(40)) member.submit(name).answer()
    expect([...member.records.values()].reduce((sum, { length }) => sum + length, 0)).toBeLessThan(2000)
  })
})

describe('a member that is behind the log', () => {
  /** A leader of five whose log begins above 30; members 1 and 2 have delivered everything, 3 nothing. */
  const longLeader = (): Member => {
    const member = leader([], 5, { retainEntries: 4 })
    for (const [offset, name] of names(40).entries()) {
      member.submit(name)
      for (const to of [1, 2]) member.receive(to, appended(1, offset + 1, { delivered: offset + 1 }))
      member.answer()
    }
    member.sent()
    return member
  }

  it('is told of the state, and of who else has it', () => {
    const member = longLeader().link(3, false).link(3, true)
    const { offer } = member.sentTo(3, 'offer')
    expect(offer).toMatchObject({ at: at(40, 1), height: 41n, members: [0, 1, 2] })
    member
      .submit('u')
      .receive(1, appended(1, 41, { delivered: 40 }))
      .receive(2, appended(1, 41, { delivered: 41 }))
      .answer()
      .fire('heartbeat')
    expect(member.sentTo(3, 'offer').offer).toMatchObject({ at: at(41, 1), height: 42n, members: [0, 2] })
  })

  const offer = { at: at(40, 3), height: 41n, hash: Buffer.from('block 40'), members: [0, 2] }

  it('transfers it, and goes on behind it', () => {
    const member = follower([entry(1, 'a'), entry(1, 'b')], 1).submit('mine')
    member.sent()
    member.receive(0, { kind: 'offer', term: 3, offer })
    expect(member.transfers).toEqual([{ height: 41n, hash: Buffer.from('block 40'), members: [0, 2] }])
    expect(member.isValid).toBe(false)
    expect(member.sentTo(0, 'appended')).toMatchObject({ isOk: false })
    member.receive(0, { kind: 'offer', term: 3, offer })
    expect(member.transfers).toHaveLength(1)
    member.sent()
    member.answer('skipped').transferred(41n)
    expect(member.isValid).toBe(true)
    expect(member.sentTo(0, 'appended')).toMatchObject({ isOk: true, index: 40, delivered: 40 })
    expect(member.view).toMatchObject({ delivered: 40, commit: 40, waiting: 0, log: { first: 41, last: 40 } })
    member.receive(0, { kind: 'append', term: 3, before: at(40, 3), commit: 41, entries: [entry(3, 'c')] })
    expect(member.delivered.at(-1)).toMatchObject({ tag: '41' })
    expect([...member.records.keys()].filter((key) => key.startsWith('raft.log.'))).toHaveLength(1)
  })

  it('tries again when a transfer failed, and delivers nothing until one has succeeded', () => {
    const member = follower([entry(1, 'a'), entry(1, 'b')], 1).receive(0, { kind: 'offer', term: 3, offer })
    member.answer('skipped').transferFailed()
    member.receive(0, { kind: 'append', term: 3, before: at(2, 1), commit: 2, entries: [] })
    expect(member.delivered).toHaveLength(1)
    member.fire('retry')
    expect(member.transfers).toHaveLength(2)
    member.transferFailed().receive(0, { kind: 'offer', term: 3, offer: { ...offer, at: at(50, 3), height: 51n } })
    expect(member.transfers.at(-1)).toMatchObject({ height: 51n })
    member.transferred(51n)
    expect(member.view).toMatchObject({ delivered: 50 })
  })

  it('needs no transfer to what it has', () => {
    const member = follower([entry(1, 'a'), entry(1, 'b')], 0).receive(0, { kind: 'offer', term: 1, offer: { ...offer, at: at(2, 1) } })
    expect(member.transfers).toEqual([])
    expect(member.sentTo(0, 'appended')).toMatchObject({ isOk: true, index: 2 })
    expect(member.delivered.map(({ tag }) => tag)).toEqual(['1', '2'])
  })
})
