import { describe, expect, it } from 'vitest'
import { ChaincodeEvent, Event, EventType, encode, HelloMessage, NonHashData, PeerEndpoint_Type, pbft } from '../../proto/index.js'
import { fromText, toHex } from './vectors.js'

describe('the bytes of spec/wire.md §15', () => {
  const request = pbft.Request.fromPartial({ timestamp: { seconds: 1n, nanos: 2 }, payload: fromText('abc') })

  it('of a request', () => {
    expect(toHex(encode(pbft.Request, request))).toBe('0a04080110021203616263')
  })

  it('of a request batch', () => {
    expect(toHex(encode(pbft.RequestBatch, { batch: [request] }))).toBe('0a0b0a04080110021203616263')
  })

  it('of a new view, whose xset entries always hold key and value', () => {
    const inOrder = (xset: readonly [bigint, string][]) =>
      pbft.NewView.fromPartial({ view: 1, replicaId: 1, xset: xset.map(([key, value]) => ({ key, value })) })
    expect(
      toHex(
        encode(
          pbft.NewView,
          inOrder([
            [1n, ''],
            [0n, 'x'],
          ]),
        ),
      ),
    ).toBe('08011a04080112001a0508001201782001')
  })

  it('of the hello of a non-validator on an empty ledger', () => {
    const hello = HelloMessage.fromPartial({
      peerEndpoint: { ID: { name: 'nvp0' }, address: 'a:1', type: PeerEndpoint_Type.NON_VALIDATOR },
      blockchainInfo: {},
    })
    expect(toHex(encode(HelloMessage, hello))).toBe('0a0f0a060a046e7670301203613a3118021200')
  })

  it('of the events of a block, empty ones included', () => {
    const data = NonHashData.fromPartial({ chaincodeEvents: [ChaincodeEvent.fromPartial({}), { chaincodeID: 'c' }] })
    expect(toHex(encode(NonHashData, data))).toBe('120012030a0163')
  })

  it('of a registration for events', () => {
    const interests = [
      { eventType: EventType.BLOCK },
      { eventType: EventType.CHAINCODE, RegInfo: { $case: 'chaincodeRegInfo' as const, value: { chaincodeID: 'cc', eventName: 'e' } } },
    ]
    const event = Event.fromPartial({ Event: { $case: 'register', value: { events: interests } } })
    expect(toHex(encode(Event, event))).toBe('0a110a0208010a0b080212070a026363120165')
  })
})
