import type { LinkStatus, NetworkStatus } from '../../proto/index.js'
import type { Dialer } from './dialer.js'
import type { Link } from './link.js'

export interface StatusParts {
  readonly id: string
  readonly nowMs: number
  readonly links: readonly Link[]
  readonly roundTripMs: (link: Link) => number
  readonly dials: ReturnType<Dialer['failing']>
  readonly rejected: bigint
}

/** What `peer network status` shows. */
export function statusOf({ id, nowMs, links, roundTripMs, dials, rejected }: StatusParts): NetworkStatus {
  return {
    id,
    links: links.map((link) => linkStatus(link, nowMs, roundTripMs(link))),
    dials: dials.map(({ address, failures, retryMs, reason }) => ({ address, failures, retryMs: BigInt(retryMs), reason })),
    rejected,
  }
}

function linkStatus(link: Link, nowMs: number, roundTripMs: number): LinkStatus {
  const { counters, waiting, hello } = link
  return {
    id: hello?.id ?? '',
    address: hello?.endpoint.address ?? '',
    type: hello?.endpoint.type ?? 0,
    dialled: link.dialled !== undefined,
    packed: link.packs,
    weft: hello?.weft !== undefined,
    connectedMs: BigInt(Math.round(nowMs - link.openedMs)),
    roundTripMicros: BigInt(Math.round(roundTripMs * 1000)),
    queuedMessages: BigInt(waiting.messages),
    queuedBytes: BigInt(waiting.bytes),
    sentMessages: BigInt(counters.sentMessages),
    sentFrames: BigInt(counters.sentFrames),
    sentBytes: BigInt(counters.sentBytes),
    receivedMessages: BigInt(counters.receivedMessages),
    receivedBytes: BigInt(counters.receivedBytes),
    lostMessages: BigInt(counters.lostMessages),
  }
}
