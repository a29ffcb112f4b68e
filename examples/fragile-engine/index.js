import { defineEngine, MessageWriter, readMessage } from 'weft/consensus'

/** What a transaction with the text `break:<deed>@<member>` has a member do when it learns of its block; `@all`: every member. */
const DEEDS = {
  throw() {
    throw new Error('it was told to break')
  },
  loop() {
    for (;;);
  },
  flood(host) {
    for (;;) host.broadcast(new Uint8Array(10))
  },
}

/** One member makes the blocks, the others take them: correct as long as nobody fails. */
export default defineEngine({
  name: 'fragile',
  version: '1.0.0',
  agreement: true,
  tolerates: () => ({ crashed: 0, byzantine: 0 }),
  parseOptions: (raw) => raw,
  create(host, _options, start) {
    const leader = start.firstLeader ?? 0
    const open = new Map()
    const done = new Set(start.executed)
    let inFlight
    let wanted
    let deed

    const advance = () => {
      if (inFlight) return
      const requests = [...open.values()].filter(({ id }) => !done.has(id)).slice(0, 100)
      if (host.self === leader && requests.length > 0) {
        inFlight = requests
        host.deliver('block', requests)
      } else if (wanted && wanted.height > host.head.height) {
        inFlight = []
        host.transferTo({ ...wanted, members: [leader] })
      }
    }
    const plan = (requests) => {
      for (const { bytes } of requests) {
        const [, name, member] = /break:([a-z]+)@(all|\d)/.exec(Buffer.from(bytes).toString('latin1')) ?? []
        if (name in DEEDS && (member === 'all' || Number(member) === host.self)) deed = DEEDS[name]
      }
      // In a handler of its own: what was asked for in this one is still done.
      if (deed) host.setTimer('deed', 10)
    }
    const tellHead = (requests) => host.broadcast(write(host.head, requests))

    return {
      onRequest(request) {
        open.set(request.id, request)
        if (host.self === leader) advance()
        else host.send(leader, write(host.head, [request]))
      },
      onPeer(member, isUp) {
        if (isUp && host.self === leader) host.send(member, write(host.head, []))
        if (isUp && member === leader) host.send(leader, write(host.head, [...open.values()]))
      },
      onMessage(from, bytes) {
        const message = read(bytes)
        if (!message) return
        if (host.self === leader) for (const request of message.requests) open.set(request.id, request)
        else if (from === leader) {
          wanted = message
          plan(message.requests)
        }
        advance()
      },
      onDelivered(_tag, block) {
        const requests = inFlight ?? []
        inFlight = undefined
        if (block === 'skipped') return
        for (const { id } of requests) {
          open.delete(id)
          done.add(id)
        }
        tellHead(requests)
        plan(requests)
        advance()
      },
      onTransferred({ reached }) {
        inFlight = undefined
        if (reached) open.clear()
        advance()
      },
      onTimer: () => deed?.(host),
    }
  },
})

function write({ height, hash }, requests) {
  return new MessageWriter().number(Number(height)).bytes(hash).requests(requests).end()
}

function read(bytes) {
  return readMessage(bytes, (reader) => ({ height: BigInt(reader.number()), hash: reader.bytes(), requests: reader.requests() }))
}
