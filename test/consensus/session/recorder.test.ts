import { describe, expect, it } from 'vitest'
import { heardEngine } from '../../kit/heard-engine.js'
import { hostWith } from '../../kit/host-with.js'
import { createRecorder } from '../../../plugins/consensus/session/recorder.js'
import type { EngineHost, EngineStart, Head } from '../../../plugins/consensus/index.js'

const MEMBERS: { readonly [member in keyof EngineHost]: true } = {
  self: true,
  members: true,
  head: true,
  deliveryWindow: true,
  now: true,
  random: true,
  send: true,
  broadcast: true,
  put: true,
  delete: true,
  deliver: true,
  execute: true,
  commit: true,
  rollback: true,
  transferTo: true,
  setValid: true,
  setTimer: true,
  cancelTimer: true,
  sign: true,
  verify: true,
  forget: true,
  status: true,
  metric: true,
  log: true,
  halt: true,
}

const headAt = (height: bigint): Head => ({ height, hash: new Uint8Array(32), blob: new Uint8Array(0) })

function recorder() {
  const members = [0, 1].map((index) => ({ index, id: `vp${index}`, key: new Uint8Array(32) }))
  return createRecorder({ self: 0, members, head: headAt(1n), deliveryWindow: 4, random: () => 0.5 })
}

/** Ways to make another host of one, whatever else they change. */
const WRAPPED: readonly (readonly [how: string, wrap: (host: EngineHost) => EngineHost])[] = [
  ['as it is', (host) => host],
  ['as a prototype', (host) => Object.create(host)],
  ['as the prototype of a prototype', (host) => Object.create(Object.create(host))],
  ['with changes', (host) => hostWith(host, { log: () => undefined })],
  ['with changes, twice', (host) => hostWith(hostWith(host, { log: () => undefined }), { metric: () => undefined })],
  ['behind a proxy', (host) => new Proxy(host, {})],
  ['spread', spread],
  ['with changes, then spread', (host) => spread(hostWith(host, { log: () => undefined }))],
  ['listened to, then spread', (host) => spread(heard(host))],
]

function spread(host: EngineHost): EngineHost {
  return {
    ...host,
    get head() {
      return host.head
    },
    get now() {
      return host.now
    },
  }
}

function heard(host: EngineHost, listener: (shown: object) => void = () => undefined): EngineHost {
  let given = host
  const start: EngineStart = {
    epoch: 0n,
    head: headAt(1n),
    metadata: undefined,
    restored: new Map(),
    members: host.members,
    executed: [],
    seed: 1n,
    firstLeader: 0,
  }
  const factory = {
    name: 'x',
    version: '1.0.0',
    agreement: true,
    tolerates: () => ({ crashed: 0, byzantine: 0 }),
    parseOptions: () => undefined,
    create: (own: EngineHost) => {
      given = own
      return {}
    },
  }
  heardEngine(factory, () => listener).create(host, undefined, start)
  return given
}

describe('the host that an engine sees', () => {
  it('has by name what its interface has and nothing else, and cannot be changed', () => {
    const { host } = recorder()
    const seen = [...Object.getOwnPropertyNames(host), ...Object.getOwnPropertyNames(Object.getPrototypeOf(host))].filter((name) => name !== 'constructor')
    expect(new Set(seen)).toEqual(new Set(Object.keys(MEMBERS)))
    expect(Object.isFrozen(host)).toBe(true)
  })

  it.each(WRAPPED)('tells of the head and the time of the moment, and records what is asked for: %s', (_, wrap) => {
    const own = recorder()
    own.begin(7)
    const host = wrap(own.host)
    own.end()
    own.head = headAt(2n)
    own.begin(8)
    expect([host.head.height, host.now, host.self, host.deliveryWindow, host.random()]).toEqual([2n, 8, 0, 4, 0.5])
    host.setTimer('t', 5)
    expect(own.end()).toEqual([{ type: 'timer', name: 't', delayMs: 5 }])
    expect(() => host.now).toThrow('outside the engine')
  })

  it('is heard by who listens, and hears it as well', () => {
    const own = recorder()
    const shown: object[] = []
    own.begin(1)
    heard(own.host, (view) => shown.push(view)).status({ view: 3 })
    expect(shown).toEqual([{ view: 3 }])
    expect(own.end()).toEqual([{ type: 'status', view: { view: 3 } }])
  })
})
