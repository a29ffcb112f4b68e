import { describe, expect, it } from 'vitest'
import { decodeMessage, encodeMessage, type Message } from '../src/messages.js'
import { parseRaftOptions } from '../src/options.js'
import { appended, at, campaign, entry, Member, request } from './member.js'

const all: readonly Message[] = [
  { kind: 'forward', delivered: 7, requests: ['a', 'b'].map(request) },
  campaign(3, at(2, 1), { isPre: true, isHandOver: true }),
  { kind: 'vote', term: 3, isPre: false, isYes: true },
  { kind: 'append', term: 3, before: at(9, 2), commit: 8, entries: [entry(2, 'a', 'b'), entry(3), entry(3, 'c')] },
  appended(3, 5, { before: 4, delivered: 3 }),
  { kind: 'offer', term: 3, offer: { at: at(9, 2), height: 12n, hash: Uint8Array.of(1, 2, 3), members: [0, 2] } },
  { kind: 'hand-over', term: 3 },
]

/** Without what stays at the leader. */
const plain = (message: Message | undefined): unknown =>
  message?.kind === 'append'
    ? { ...message, entries: message.entries.map(({ term, body, requests }) => ({ term, body: hex(body), requests: requests.map(({ id }) => id) })) }
    : message?.kind === 'forward'
      ? { ...message, requests: message.requests.map(({ id, bytes }) => ({ id, bytes: hex(bytes) })) }
      : message?.kind === 'offer'
        ? { ...message, offer: { ...message.offer, hash: hex(message.offer.hash) } }
        : message

describe('a message', () => {
  it.each(all)('is read as it was written: $kind', (message) => {
    expect(plain(decodeMessage(encodeMessage(message), 3))).toEqual(plain(message))
  })

  it.each(all)('is refused if it is cut or goes on: $kind', (message) => {
    const bytes = encodeMessage(message)
    const wrong = [Buffer.concat([bytes, Uint8Array.of(0)]), ...Array.from(bytes, (_, length) => bytes.slice(0, length))]
    for (const other of wrong) expect(plain(decodeMessage(other, 3))).not.toEqual(plain(message))
  })

  it('is refused with a number beyond all bounds, an unknown member, a term from the future or out of order', () => {
    const offer = { at: at(9, 2), height: 12n, hash: Uint8Array.of(1), members: [3] }
    const wrong: readonly Message[] = [
      { kind: 'hand-over', term: 2 ** 47 + 1 },
      { kind: 'offer', term: 3, offer },
      { kind: 'offer', term: 3, offer: { ...offer, members: [], hash: new Uint8Array(65) } },
      { kind: 'append', term: 2, before: at(0, 0), commit: 0, entries: [entry(3, 'a')] },
      { kind: 'append', term: 3, before: at(0, 0), commit: 0, entries: [entry(2, 'a'), entry(1, 'b')] },
      { kind: 'append', term: 3, before: at(1, 3), commit: 0, entries: [entry(2, 'a')] },
    ]
    for (const message of wrong) expect(decodeMessage(encodeMessage(message), 3)).toBeUndefined()
  })

  it('that is none changes nothing', () => {
    const member = new Member(1)
    const before = { view: member.view, records: new Map(member.records) }
    for (let length = 0; length < 64; length += 1) member.receiveBytes(2, new Uint8Array(length).fill(255))
    expect({ view: member.view, records: member.records }).toEqual(before)
    expect(member.sent()).toEqual([])
  })

  it('with the largest numbers can be borne', () => {
    const largest = 2 ** 47
    const member = new Member(1).link(0, false).receive(2, campaign(largest, at(largest, largest)))
    member.receive(0, { kind: 'append', term: largest, before: at(largest, largest), commit: largest, entries: [] })
    member.link(0, false).fire('election')
    expect(member.view).toMatchObject({ role: 'candidate', term: largest })
    expect(member.unreadable).toBe(2) // the others refuse a term beyond it
  })
})

describe('options', () => {
  it('have defaults', () => {
    expect(parseRaftOptions()).toMatchObject({ electionTimeoutMs: 1000, heartbeatMs: 100, batchSize: 500, batching: 'adaptive' })
    expect(parseRaftOptions({ batchSize: 7, batching: 'fixed' })).toMatchObject({ batchSize: 7, batching: 'fixed', pipeline: 4 })
  })

  it.each([
    [{ batchSize: 0 }, 'batchSize: expected a whole number from 1 to 2147483647, found 0'],
    [{ batchSize: '500' }, 'batchSize: expected a whole number from 1 to 2147483647, found "500"'],
    [{ heartbeatMs: 500 }, 'heartbeatMs: expected at most a third of electionTimeoutMs (1000), found 500'],
    [{ batching: 'never' }, 'batching: expected adaptive or fixed, found "never"'],
    [{ batchsize: 5 }, 'batchsize: unknown; there are electionTimeoutMs,'],
    [[], 'expected an object, found []'],
    [null, 'expected an object, found null'],
  ])('are refused with what is wrong: %j', (raw, message) => {
    expect(() => parseRaftOptions(raw)).toThrow(expect.objectContaining({ code: 'ERR_RAFT_OPTIONS', message: expect.stringContaining(message) }))
  })

  it('tell of all faults at once', () => {
    expect(() => parseRaftOptions({ batchSize: 0, pipeline: -1 })).toThrow(/batchSize.*pipeline/)
  })
})

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
