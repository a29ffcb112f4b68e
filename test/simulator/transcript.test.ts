import { describe, expect, it } from 'vitest'
import { type Engine, type EngineFactory, type EngineHost, requestId } from '../../plugins/consensus/index.js'
import { makeRequest, transcript, TranscriptMismatch } from '../kit/index.js'

/** Member 0 numbers requests; it stores the number before it says it. */
const counter: EngineFactory<{ readonly patienceMs: number }> = {
  name: 'counter',
  version: '1.0.0',
  agreement: true,
  tolerates: () => ({ crashed: 0, byzantine: 0 }),
  parseOptions: (raw) => ({ patienceMs: typeof raw === 'object' && raw !== null && 'patienceMs' in raw ? Number(raw.patienceMs) : 100 }),
  create(host: EngineHost, { patienceMs }, { restored }): Engine {
    let next = Number(Buffer.from(restored.get('next') ?? Buffer.from('0')).toString())
    host.log('info', `begins at ${next}`)
    return {
      onRequest(request) {
        next += 1
        host.put('next', Buffer.from(String(next)))
        host.broadcast(Buffer.from(JSON.stringify({ number: next, request: request.id })), { vote: { slot: String(next), value: request.id } })
        host.deliver(`block ${next}`, [request])
        host.setTimer('patience', patienceMs)
      },
      onMessage: (from, bytes) => (bytes.length === 0 ? host.halt(`nonsense of ${from}`) : host.send(from, bytes)),
      onDelivered(tag, block) {
        host.cancelTimer('patience')
        host.log('debug', `${tag} ${block === 'skipped' ? 'skipped' : `is block ${block.number} of ${host.head.height}`}`)
      },
      onTimer: (name) => host.log('warning', `${name} ran out at ${host.now}`),
      onPeer: (member, up) => (up ? host.metric('drawn', host.random()) : host.forget([`${member}`])),
    }
  },
}
const decode = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString())
const one = makeRequest('one')
const begin = (): ReturnType<typeof transcript> => transcript(counter, { members: 3, options: { patienceMs: 70 }, decode })

/** What a mismatch says. */
function complaint(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof TranscriptMismatch) return error.message
    throw error
  }
  return expect.unreachable('expected a mismatch')
}

const later = (): unknown => Promise.resolve()

describe('a transcript', () => {
  it('tells an engine events and compares what it asks for', () => {
    begin()
      .expect()
      .on({ type: 'request', request: one })
      .expect(
        { type: 'put', key: 'next', bytes: Buffer.from('1') },
        { type: 'broadcast', decoded: { number: 1, request: one.id }, vote: { slot: '1', value: one.id } },
        { type: 'deliver', tag: 'block 1', requests: [one] },
        { type: 'setTimer', name: 'patience', delayMs: (ms) => ms === 70 },
      )
      .wait(30)
      .on({ type: 'timer', name: 'patience' })
      .expect({ type: 'log', message: 'patience ran out at 1000030' })
      .block('block 1')
      .expect({ type: 'cancelTimer', name: 'patience' })
      .expectAmong({ type: 'log', message: 'block 1 is block 1 of 2' })
      .restart()
      .expect({ type: 'log', message: 'begins at 1' })
  })

  it('says what is missing and what is too much, and leaves what agrees between them', () => {
    const text = complaint(() =>
      begin()
        .on({ type: 'request', request: one })
        .expect({ type: 'put', key: 'next' }, { type: 'broadcast', decoded: { number: 2 } }, { type: 'setTimer', delayMs: () => true }, { type: 'rollback' }),
    )
    expect(text.split('\n')).toEqual([
      `step 2, request ${one.id.slice(0, 12)}: expected other effects`,
      '    put key=next bytes=1',
      '  - broadcast decoded={"number":2}',
      expect.stringMatching(/^ {2}\+ broadcast bytes=\{"number":1,"request":"[0-9a-f]{64}"\} vote=/),
      expect.stringMatching(/^ {2}\+ deliver tag=block 1 requests=/),
      '    setTimer name=patience delayMs=70',
      '  - rollback',
    ])
    expect(complaint(() => begin().on({ type: 'request', request: one }).expect())).toMatch(/\n {2}\+ put .*\n {2}\+ broadcast/)
    expect(complaint(() => begin().expectAmong({ type: 'halt' }))).toContain('\n  - halt')
  })

  it('refuses what cannot happen', () => {
    expect(complaint(() => begin().on({ type: 'timer', name: 'patience' }))).toContain("timer 'patience' is not set (set: none), so it cannot run out")
    const asked = begin().on({ type: 'request', request: one })
    expect(complaint(() => asked.block('block 2'))).toContain("nothing with the tag 'block 2' waits for a block (waiting: block 1)")
    asked.restart()
    expect(complaint(() => asked.on({ type: 'timer', name: 'patience' }))).toContain('is not set')
    const halted = begin().on({ type: 'message', from: 2, bytes: new Uint8Array() }).expect({ type: 'halt', reason: 'nonsense of 2' })
    expect(complaint(() => halted.on({ type: 'request', request: one }))).toContain('it has halted (nonsense of 2): nobody tells it of request')
    const promising: EngineFactory = {
      ...counter,
      parseOptions: (raw) => raw,
      create: () => ({ onPeer: later }),
    }
    expect(complaint(() => transcript(promising).on({ type: 'peer', member: 1, up: true }))).toContain('promise')
  })

  it('is the same text for the same events, drawn numbers among them', () => {
    const play = (seed: number): string =>
      transcript(counter, { seed }).on({ type: 'peer', member: 1, up: true }).on({ type: 'peer', member: 1, up: false }).text
    expect(play(1)).toBe(play(1))
    expect(play(1)).not.toBe(play(2))
    expect(play(1).split('\n')).toEqual([
      'create',
      '    log level=info message=begins at 0',
      'vp1 up',
      expect.stringMatching(/^ {4}metric name=drawn value=0\.\d+$/),
      'vp1 down',
      '    forget ids=["1"]',
      '',
    ])
  })

  it('makes requests as hosts do', () => {
    expect(one.id).toBe(requestId(one.bytes))
    expect(makeRequest('two').id).not.toBe(one.id)
  })
})
