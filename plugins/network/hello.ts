import { messageOf, PeerError } from '../../kernel/index.js'
import { type BlockchainInfo, decode, encode, ExtendedHello, HelloMessage, hex, type PeerEndpoint } from '../../proto/index.js'

const MAX_HELLO_BYTES = 64 * 1024
const MAX_NAME_LENGTH = 256
const MAX_CAPABILITIES = 64
const MAX_SETTINGS = 64
const NOTHING = new Uint8Array(0)

/** What a peer says of itself beyond v0.6. */
export interface WeftFacts {
  /** Random for each start, in hex. */
  readonly session: string
  readonly capabilities: ReadonlySet<string>
  readonly settings: ReadonlyMap<string, string>
}

/** Who is at the other end, as it says itself: nothing of it is proven (spec/wire.md §11.2). */
export interface Hello {
  readonly id: string
  readonly endpoint: PeerEndpoint
  /** Head of its chain as it connected. */
  readonly head: Pick<BlockchainInfo, 'height' | 'currentBlockHash'>
  /** Undefined: an original. */
  readonly weft: WeftFacts | undefined
}

/** The payload of a HELLO: v0.6's message and, behind it, fields that v0.6 drops. The signature of a HELLO covers these very bytes. */
export function encodeHello(peerEndpoint: PeerEndpoint, blockchainInfo: BlockchainInfo, weft: WeftFacts | undefined): Uint8Array {
  const original = encode(HelloMessage, { peerEndpoint, blockchainInfo })
  if (weft === undefined) return original
  const extension = encode(ExtendedHello, {
    weft: {
      session: Buffer.from(weft.session, 'hex'),
      capabilities: [...weft.capabilities],
      settings: [...weft.settings].map(([key, value]) => ({ key, value })),
    },
  })
  return Buffer.concat([original, extension])
}

/** Reads a HELLO. Throws ERR_NETWORK_HELLO, saying what is wrong: an endpoint without ID crashes an original. */
export function decodeHello(payload: Uint8Array): Hello {
  if (payload.length > MAX_HELLO_BYTES) throw refusal(`it has ${payload.length} bytes, expected at most ${MAX_HELLO_BYTES}`)
  const { peerEndpoint, blockchainInfo } = readable(() => decode(HelloMessage, payload))
  const id = peerEndpoint?.ID?.name ?? ''
  if (peerEndpoint === undefined || id === '') throw refusal('it has no peerEndpoint with an ID')
  if (id.length > MAX_NAME_LENGTH || peerEndpoint.address.length > MAX_NAME_LENGTH || peerEndpoint.pkiID.length > MAX_NAME_LENGTH) {
    throw refusal(`its id, address or pkiID is longer than ${MAX_NAME_LENGTH}`)
  }
  // What outlives the frame that it came in is copied.
  const head = { height: blockchainInfo?.height ?? 0n, currentBlockHash: blockchainInfo?.currentBlockHash.slice(0, MAX_NAME_LENGTH) ?? NOTHING }
  return { id, endpoint: { ...peerEndpoint, pkiID: peerEndpoint.pkiID.slice() }, head, weft: weftFacts(payload) }
}

function weftFacts(payload: Uint8Array): WeftFacts | undefined {
  const { weft } = readable(() => decode(ExtendedHello, payload))
  if (weft === undefined) return undefined
  if (weft.capabilities.length > MAX_CAPABILITIES || weft.settings.length > MAX_SETTINGS) throw refusal('it declares too much')
  return {
    session: hex(weft.session.subarray(0, MAX_NAME_LENGTH)),
    capabilities: new Set(weft.capabilities),
    settings: new Map(weft.settings.map(({ key, value }) => [key, value])),
  }
}

/**
 * What differs between the settings of two validators that must be equal. Keys that only one of them declares are left out: it may be another release.
 * Undefined: nothing.
 */
export function differingSetting(
  own: ReadonlyMap<string, string>,
  other: ReadonlyMap<string, string>,
): { readonly key: string; readonly own: string; readonly other: string } | undefined {
  for (const [key, value] of own) {
    const theirs = other.get(key)
    if (theirs !== undefined && theirs !== value) return { key, own: value, other: theirs.slice(0, MAX_NAME_LENGTH) }
  }
  return undefined
}

function readable<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw refusal(messageOf(cause), cause)
  }
}

function refusal(why: string, cause?: unknown): PeerError {
  return new PeerError('ERR_NETWORK_HELLO', `a HELLO is refused: ${why}`, { cause })
}
