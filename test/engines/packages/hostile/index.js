import { writeSync } from 'node:fs'
import process from 'node:process'
import { defineEngine } from 'weft/consensus'

/** What a bad engine does when it is told of a request: its option `deed`. */
const DEEDS = {
  unreadable() {
    throw new Proxy(new Error('hidden'), {
      get() {
        throw new Error('a trap')
      },
    })
  },
  throw() {
    throw new Error('I will not')
  },
  promise: async () => undefined,
  loop() {
    for (;;);
  },
  flood(host) {
    for (;;) host.broadcast(new Uint8Array(10))
  },
  bytes(host) {
    for (let at = 0; at < 5; at++) host.broadcast(new Uint8Array(3 * 1024 * 1024))
  },
  stream(host) {
    for (let at = 0; at < 50; at++) host.metric('m', at)
    host.setTimer('again', 0)
  },
  metrics(host) {
    for (let at = 0; at < 5000; at++) host.metric(`m${at}`, at)
  },
  allocate(host) {
    const held = []
    for (;;) held.push(Array.from({ length: 1e6 }, (_, at) => host.now + at))
  },
  buffers() {
    const held = []
    for (;;) held.push(new Uint8Array(10e6).fill(1))
  },
  /** A little more with each. */
  hoard(host) {
    for (let at = 0; at < 4; at++) host.put(`${host.random()}`, new Uint8Array(1024 * 1024))
    host.setTimer('again', 0)
  },
  /** The same bytes, said often. */
  giant(host) {
    const bytes = new Uint8Array(1024 * 1024)
    for (let at = 0; at < 900; at++) host.broadcast(bytes)
  },
  essay: (host) => host.log('info', 'x'.repeat(100 * 1024 * 1024)),
  stray: () => void Promise.reject(new Error('left behind')),
  list: () => writeAll(frame(`{"type":"effects","effects":[${'0,'.repeat(1_000_000)}0]}`)),
  view: (host) => host.status({ all: 'x'.repeat(100_000) }),
  word: (host) => host.metric('m'.repeat(300), 1),
  vote: (host) => host.broadcast(new Uint8Array(1), { vote: { slot: 1, value: 'x' } }),
  cyclic(host) {
    const view = {}
    view.self = view
    host.status(view)
  },
  exit: () => process.exit(3),
  kill: () => process.kill(process.pid, 'SIGKILL'),
  nonsense: () => writeSync(3, Buffer.from([0, 0, 0, 5, 1, 2, 3, 4, 5])),
  json: () => writeSync(3, frame('{"type":"effects","effects":[{"type":"send","to":77}]}')),
  answers: () => writeSync(3, Buffer.concat(Array.from({ length: 10 }, () => frame('{"type":"effects","effects":[]}')))),
  deep: () => writeSync(3, frame('['.repeat(100_000))),
  huge: () => writeSync(3, Buffer.from([255, 255, 255, 255])),
  self: () => writeSync(3, frame('{"type":"effects","effects":[{"type":"send","to":0,"bytes":{"$b":[0,0]},"vote":{"$u":1}}]}')),
  forge: (host) => host.deliver('d', [{ id: 'ab'.repeat(32), bytes: new Uint8Array([1]) }]),
  clock: () => Date.now(),
  random: () => Math.random(),
  network: () => fetch('http://127.0.0.1:1/'),
  chatter(host) {
    for (let at = 0; at < 5000; at++) host.log('info', `line ${at}\u001b[2J`)
  },
  good: (host, request) => host.deliver('d', [request]),
}

/** The pipe takes as much at a time as it likes, and sometimes nothing. */
function writeAll(bytes) {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(3, bytes, at)
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error
    }
  }
}

function frame(json) {
  const body = Buffer.from(json)
  const head = Buffer.alloc(8)
  head.writeUInt32BE(body.length + 4, 0)
  head.writeUInt32BE(body.length, 4)
  return Buffer.concat([head, body])
}

export default defineEngine({
  name: 'hostile',
  version: '0.6.6',
  agreement: true,
  tolerates: () => ({ crashed: 0, byzantine: 0 }),
  parseOptions: (raw) => raw,
  create(host, { deed, when = 'request' }, start) {
    if (when === 'create') DEEDS[deed](host)
    let delivered = start.restored.get('delivered')?.[0] ?? 0
    host.status({ delivered, begunWith: delivered })
    return {
      onRequest(request) {
        const wanted = deed ?? /deed:(\w+)/.exec(Buffer.from(request.bytes).toString('latin1'))?.[1] ?? 'good'
        return DEEDS[wanted](host, request)
      },
      onTimer: () => DEEDS[deed ?? 'good'](host),
      onDelivered() {
        delivered++
        host.put('delivered', new Uint8Array([delivered]))
        host.status({ delivered, begunWith: start.restored.get('delivered')?.[0] ?? 0 })
      },
    }
  },
})
