import { onTestFinished, expect, test } from 'vitest'
import { systemClock } from '../../kernel/index.js'
import { eventRoutes } from '../../plugins/events/sse.js'
import { httpPeer } from '../http/http-peer.js'
import { type FakeChain, executed, newHub } from './kit.js'

/** `GET /events`. */
async function serve(limits = {}): Promise<{ readonly chain: FakeChain; readonly url: string }> {
  const { hub, chain } = newHub(limits)
  const { address } = await httpPeer([{ name: 'rest', routes: eventRoutes(hub, systemClock) }])
  onTestFinished(() => hub.close())
  return { chain, url: `http://${address('rest')}/events` }
}

interface ServerSentEvent {
  readonly id: string
  readonly event: string
  readonly data: unknown
}

/** Reads so many events, then hangs up. */
async function read(url: string, count: number, headers: Record<string, string> = {}): Promise<ServerSentEvent[]> {
  const aborter = new AbortController()
  const response = await fetch(url, { headers, signal: aborter.signal })
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  expect(response.headers.get('access-control-allow-origin')).toBeNull()
  let text = ''
  const events: ServerSentEvent[] = []
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString()
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = new Map(
        text
          .slice(0, end)
          .split('\n')
          .map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      )
      text = text.slice(end + 2)
      const data = fields.get('data')
      if (data !== undefined) events.push({ id: fields.get('id') ?? '', event: fields.get('event') ?? '', data: JSON.parse(data) })
    }
    if (events.length >= count) break
  }
  aborter.abort()
  return events.slice(0, count)
}

const MIXED = [executed('t0', { event: ['cc', 'paid'] }), executed('t1', { error: 'why <&>', event: ['other', 'x'] })]

test('sends past and new events as JSON of v0.6, with ids to resume after', async () => {
  const { chain, url } = await serve()
  chain.commit(MIXED)
  chain.commit(MIXED)
  const events = await read(`${url}?from=0&types=block,chaincode,rejection`, 8)
  expect(events.map(({ id, event }) => `${event} ${id}`)).toEqual([
    'rejection 0.r1',
    'block 0',
    'chaincode 0.c0',
    'chaincode 0.c1',
    'rejection 1.r1',
    'block 1',
    'chaincode 1.c0',
    'chaincode 1.c1',
  ])
  expect(events[0]?.data).toEqual({ tx: { type: 2, txid: 't1' }, errorMsg: 'why <&>' })
  expect(events[1]?.data).toMatchObject({ transactions: [{ type: 2, txid: 't0' }] })
  expect(events[2]?.data).toEqual({ chaincodeID: 'cc', txID: 't0', eventName: 'paid', payload: Buffer.from('t0').toString('base64') })
})

test('Last-Event-ID outranks from, also inside a block', async () => {
  const { chain, url } = await serve()
  for (let block = 0; block < 3; block++) chain.commit(MIXED)
  const resumed = await read(`${url}?from=0&types=block,chaincode`, 3, { 'last-event-id': '1' })
  expect(resumed.map(({ id }) => id)).toEqual(['1.c0', '1.c1', '2'])
})

test('chooses chaincode events by chaincode and name; without from it begins with the next block', async () => {
  const { chain, url } = await serve()
  chain.commit(MIXED)
  const coming = read(`${url}?chaincode=cc&event=paid`, 2)
  const timer = setInterval(() => chain.commit(MIXED), 20)
  const events = await coming
  clearInterval(timer)
  expect(events.map(({ data }) => data)).toMatchObject([{ eventName: 'paid' }, { eventName: 'paid' }])
  expect(events.every(({ id }) => /^[1-9]\d*\.c0$/.test(id))).toBe(true)
})

test.each([
  ['?from=-1', 'from: expected a block number, found "-1"'],
  ['?from=9', 'expected a block up to 0, which comes next, found 9'],
  ['?from=0&from=1', 'from: expected once, found several times'],
  ['?since=0', 'expected the parameters from, chaincode, event, types, found "since"'],
  ['?types=blocks', 'types: expected a list of rejection, block, chaincode, found "blocks"'],
  ['?types=block&chaincode=cc', 'chaincode and event: expected with types that include chaincode'],
  [`?chaincode=${'x'.repeat(2000)}`, 'chaincode: expected at most 1024 characters, found 2000'],
])('%s is refused with what was expected', async (query, text) => {
  const { url } = await serve()
  const response = await fetch(url + query)
  expect(response.status).toBe(400)
  expect(await response.json()).toEqual({ Error: text })
})

test('beyond the number of consumers it says when to come back', async () => {
  const { chain, url } = await serve({ maxConsumers: 1 })
  chain.commit()
  const aborter = new AbortController()
  await fetch(url, { signal: aborter.signal })
  const second = await fetch(url)
  expect(second.status).toBe(503)
  expect(second.headers.get('retry-after')).toBe('5')
  aborter.abort()
  await expect.poll(async () => (await fetch(url, { headers: { connection: 'close' } })).status).toBe(200)
})
