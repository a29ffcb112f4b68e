import { codec, type CodecValue, createRequestBook, defineEngine, engineOptions, type EngineRequest } from 'weft/consensus'

/** Requests that follow the chain head of this height and hash. Without any it only tells where the leader is. */
const message = codec.struct({ height: codec.bigint, hash: codec.bytes, requests: codec.requests })

export default defineEngine({
  name: 'sequencer',
  version: '1.0.0',
  agreement: true, // all members make the same blocks,
  tolerates: () => ({ crashed: 0, byzantine: 0 }), // as long as none of them fails
  parseOptions: engineOptions('sequencer', {}),

  create(host, _options, start) {
    const leader = start.firstLeader ?? 0
    // In no block yet: what the leader has to order, or a follower's own.
    const book = createRequestBook<EngineRequest>({ bytesOf: ({ bytes }) => bytes.length, executed: start.executed })
    let batches: CodecValue<typeof message>[] = [] // ordered, not delivered
    let [next] = batches // the host has it, and owes an answer

    /** The leader orders what waits. Everybody delivers the batch that follows the own head, or transfers to the head that it follows. */
    function advance() {
      if (host.self === leader && book.size > 0) batches = [{ ...host.head, requests: book.first(500, 4 * 1024 * 1024) }]
      batches = batches.filter(({ height, requests }) => height > host.head.height || (height === host.head.height && requests.length > 0))
      next = batches[0]
      if (next && next.height > host.head.height) host.transferTo({ ...next, members: [leader] })
      else if (next) host.deliver(`block ${next.height}`, next.requests)
    }

    return {
      onRequest(request) {
        if (!book.add({ id: request.id, from: host.self, isOwn: true, content: request })) return host.forget([request.id])
        if (host.self !== leader) host.send(leader, message.encode({ ...host.head, requests: [request] }))
        if (!next) advance()
      },
      onMessage(from, bytes) {
        const batch = message.decode(bytes)
        if (batch && from === leader) batches = [...batches.slice(-99), batch] // more wait: a gap
        if (batch && host.self === leader) for (const request of batch.requests) book.add({ id: request.id, from, content: request })
        if (!next) advance()
      },
      onPeer: (member, isUp) =>
        isUp && host.send(member, message.encode({ ...host.head, requests: member === leader ? [...book.own()].map(({ content }) => content) : [] })),
      onDelivered(_tag, block) {
        if (block === 'skipped' || !next) return // sealed: another engine goes on
        book.settle(next.requests, block.rejected)
        if (host.self !== leader) return advance()
        host.broadcast(message.encode(next)) // durable here: a power cut cannot make it another one
        host.setTimer('next', 10) // ms in which followers, who begin later, keep up
      },
      onTimer: advance,
      onTransferred(result) {
        if (result.reached) book.transferred(result.executed)
        else batches = [] // the next one shows the gap again
        advance()
      },
    }
  },
})
