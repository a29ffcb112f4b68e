import { expect, it } from 'vitest'
import { createRandom, createRecorder, type Engine, type EngineFactory, type EngineHost } from '../../plugins/consensus/index.js'
import { watchBytes } from '../kit/index.js'

const head = { height: 1n, hash: Uint8Array.of(1), blob: Uint8Array.of(2) }
const members = [{ index: 0, id: 'vp0' }]

/** An instance that is watched, and a way to tell it things. */
function live(create: (host: EngineHost) => Engine): (tell: (engine: Engine) => void) => void {
  const factory: EngineFactory = {
    name: 'x',
    version: '1.0.0',
    agreement: true,
    tolerates: () => ({ crashed: 0, byzantine: 0 }),
    parseOptions: (raw) => raw,
    create: (host) => create(host),
  }
  const recorder = createRecorder({ self: 0, members, head, deliveryWindow: 8, random: createRandom(1n) })
  recorder.begin(0)
  const engine = watchBytes(factory).create(recorder.host, {}, { epoch: 0n, head, metadata: undefined, restored: new Map(), members, seed: 1n })
  recorder.end()
  return (tell) => {
    recorder.begin(0)
    try {
      tell(engine)
    } finally {
      recorder.end()
    }
  }
}

it('an engine that leaves bytes alone behaves as it does', () => {
  const heard: string[] = []
  const tell = live((host) => ({
    onMessage(from, bytes) {
      heard.push(`${from} ${bytes.length}`)
      host.broadcast(Uint8Array.from(bytes))
    },
  }))
  for (let count = 0; count < 500; count += 1) tell((engine) => engine.onMessage?.(0, new Uint8Array(count)))
  expect(heard).toHaveLength(500)
})

it('an engine is caught that encodes into a buffer again which it has sent', () => {
  const buffer = new Uint8Array(4)
  const tell = live((host) => ({
    onTimer() {
      buffer[0] = (buffer[0] ?? 0) + 1
      host.broadcast(buffer)
    },
  }))
  tell((engine) => engine.onTimer?.('once'))
  expect(() => tell((engine) => engine.onTimer?.('again'))).toThrow('onTimer changed those of broadcast')
})

it('an engine is caught that writes into what it was given', () => {
  const tell = live(() => ({ onRequest: ({ bytes }) => void bytes.fill(0) }))
  expect(() => tell((engine) => engine.onRequest?.({ id: 'r', bytes: Uint8Array.of(7) }))).toThrow('onRequest changed those of onRequest')
})

it('a host is caught that writes into what it has, between two handlers', () => {
  const record = Uint8Array.of(1, 2, 3)
  const tell = live((host) => ({ onTimer: () => host.put('k', record) }))
  tell((engine) => engine.onTimer?.('once'))
  record[0] = 9
  expect(() => tell((engine) => engine.onPeer?.(0, true))).not.toThrow() // it has no such handler
  expect(() => tell((engine) => engine.onTimer?.('again'))).toThrow('before onTimer, who is around the engine changed those of put')
})
