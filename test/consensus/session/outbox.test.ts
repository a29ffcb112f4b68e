import { describe, expect, it } from 'vitest'
import { Outbox } from '../../../plugins/consensus/session/outbox.js'

describe('the outbox', () => {
  it('waits for every write before a send, also when writes are confirmed out of order', () => {
    const left: string[] = []
    const outbox = new Outbox(
      ({ bytes }) => left.push(Buffer.from(bytes).toString()),
      () => undefined,
    )
    const send = (name: string): void => outbox.send({ to: 1, bytes: Buffer.from(name), vote: undefined })
    const first = outbox.beginWrite()
    send('after first')
    const second = outbox.beginWrite()
    send('after second')
    second()
    expect(left).toEqual([])
    first()
    expect(left).toEqual(['after first', 'after second'])
    send('at once')
    expect(left).toHaveLength(3)
  })
})
