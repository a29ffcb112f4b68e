import type { ConsensusTransport } from '../../plugins/consensus/index.js'
import { Slab } from '../../proto/index.js'

/** The two kinds of messages that validators exchange, as they travel over one link: a peer's message type, in one byte. */
const ENGINE = 0
const HOST = 1

/** As small as what hosts keep without a copy. */
const slab = new Slab(8 * 1024)

type Handlers = Parameters<ConsensusTransport['receive']>[0]

/** Engine messages of the first epoch, and everything that hosts tell each other, over one link: a break of it breaks both. */
export interface Channels {
  readonly transport: ConsensusTransport
  readonly notes: ConsensusTransport
}

/** Splits a transport in two. */
export function splitTransport(link: ConsensusTransport): Channels {
  const handlers = new Map<number, Handlers>()
  const up = new Set<number>()
  let isListening = false
  const listen = (): void => {
    if (isListening) return
    isListening = true
    link.receive({
      message(from, bytes) {
        const kind = bytes[0]
        if (kind !== undefined) handlers.get(kind)?.message(from, new Uint8Array(bytes.buffer, bytes.byteOffset + 1, bytes.length - 1))
      },
      peer(member, isUp) {
        if (isUp) up.add(member)
        else up.delete(member)
        for (const { peer } of handlers.values()) peer(member, isUp)
      },
    })
  }
  const channel = (kind: number): ConsensusTransport => {
    let last: { readonly bytes: Uint8Array; readonly framed: Uint8Array } | undefined
    return {
      send(to, bytes) {
        if (last?.bytes !== bytes) last = { bytes, framed: frame(kind, bytes) }
        link.send(to, last.framed)
      },
      receive(own) {
        handlers.set(kind, own)
        listen()
        for (const member of up) own.peer(member, true)
      },
    }
  }
  return { transport: channel(ENGINE), notes: channel(HOST) }
}

function frame(kind: number, bytes: Uint8Array): Uint8Array {
  const framed = slab.take(1 + bytes.length)
  framed[0] = kind
  framed.set(bytes, 1)
  return framed
}
