import { PeerError } from 'weft'
import { createRecentIds, defineEngine, type EngineRequest, MessageWriter, readMessage } from 'weft/consensus'

/** Requests that follow the chain head of this height and hash. Without any it only tells where the leader is. */
type Batch = { height: bigint; hash: Uint8Array; requests: EngineRequest[] }

export default defineEngine({
  name: 'sequencer',
  version: '1.0.0',
  agreement: true, // all members make the same blocks,
  tolerates: () => ({ crashed: 0, byzantine: 0 }), // as long as none of them fails

  parseOptions(raw: unknown) {
    if (JSON.stringify(raw ?? {}) !== '{}') throw new PeerError('ERR_SEQUENCER_OPTIONS', `the sequencer has no options; found ${JSON.stringify(raw)}`)
  },

  create(host, _options, start) {
    const leader = start.firstLeader ?? 0
    const open = new Map<string, EngineRequest>() // in no block yet: what the leader has to order, or a follower's own
    const executed = createRecentIds(20_000, start.executed)
    let batches: Batch[] = [] // ordered, not delivered
    let isBusy = false // the host owes an answer

    /** The leader orders what waits. Everybody delivers the batch that follows the own head, or transfers to the head that it follows. */
    function advance() {
      if (isBusy) return
      const requests = [...open.values()].filter(({ id }) => !executed.has(id)).slice(0, 500)
      if (host.self === leader && requests.length > 0) batches.push({ ...host.head, requests })
      batches = batches.filter(({ height, requests }) => height > host.head.height || (height === host.head.height && requests.length > 0))
      const [next] = batches
      isBusy = next !== undefined
      if (next && next.height > host.head.height)
        host.transferTo({ ...next, members: [leader] }) // a gap
      else if (next) host.deliver(`block ${next.height}`, next.requests)
    }

    return {
      onRequest(request) {
        open.set(request.id, request)
        if (host.self === leader) advance()
        else host.send(leader, write({ ...host.head, requests: [request] }))
      },
      onMessage(from, bytes) {
        const batch = read(bytes)
        if (host.self === leader) for (const request of batch?.requests ?? []) if (open.size < 50_000) open.set(request.id, request)
        if (from === leader && batch) batches = [...batches.slice(-99), batch] // more wait: a gap
        advance()
      },
      onPeer(member, isUp) {
        if (isUp && host.self === leader) host.send(member, write({ ...host.head, requests: [] }))
        if (isUp && member === leader) host.send(leader, write({ ...host.head, requests: [...open.values()] }))
      },
      onDelivered(_tag, block) {
        if (block === 'skipped') return // sealed: another engine goes on
        const batch = batches.shift()
        if (host.self === leader && batch) host.broadcast(write(batch)) // durable here: a power cut cannot make it another one
        for (const { id } of batch?.requests ?? []) {
          open.delete(id)
          if (!block.rejected?.includes(id)) executed.add(id)
        }
        isBusy = false
        advance()
      },
      onTransferred({ reached }) {
        if (reached) open.clear() // the host says again what is still open
        if (!reached) batches = [] // the next one shows the gap again
        isBusy = false
        advance()
      },
    }
  },
})

function write({ height, hash, requests }: Batch) {
  return new MessageWriter().number(Number(height)).bytes(hash).requests(requests).end()
}

/** Undefined for bytes that `write` would not have written. */
function read(bytes: Uint8Array): Batch | undefined {
  return readMessage(bytes, (reader) => ({ height: BigInt(reader.number()), hash: reader.bytes(), requests: reader.requests() }))
}
