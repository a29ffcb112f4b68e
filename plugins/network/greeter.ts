import type { Clock } from '../../kernel/index.js'
import { type BlockchainInfo, encode, Message, Message_Type, type PeerEndpoint, PeerEndpoint_Type, type PeerID } from '../../proto/index.js'
import { decodeHello, differingSetting, encodeHello, type Hello, type WeftFacts } from './hello.js'
import { EPOCHS, PACKED } from './messages.js'
import type { HelloDeclaration } from '../consensus/index.js'

const MAX_VALUE_LENGTH = 128

/** This peer's own endpoint. */
export type SelfEndpoint = PeerEndpoint & { readonly ID: PeerID }

export interface GreeterOptions {
  readonly self: SelfEndpoint
  /** Random for this start, in hex. */
  readonly session: string
  readonly info: () => BlockchainInfo
  readonly clock: Pick<Clock, 'now'>
}

/** Why the peer that sent a HELLO is refused. */
export interface Refusal {
  readonly reason: string
  readonly facts: Readonly<Record<string, unknown>>
  /** It is this peer itself, under an address that is not known as its own. */
  readonly isSelf: boolean
}

/** Makes this peer's HELLO and judges those of others (spec/wire.md §11.2). */
export class Greeter {
  private settings: ReadonlyMap<string, string> = new Map()
  private refuseOriginals: string | undefined

  constructor(private readonly options: GreeterOptions) {}

  declare({ settings, refuseOriginals }: HelloDeclaration): void {
    this.settings = new Map([...this.settings, ...[...settings].map(([key, value]) => [key, value.slice(0, MAX_VALUE_LENGTH)] as const)])
    this.refuseOriginals = refuseOriginals ?? this.refuseOriginals
  }

  /** A serialised DISC_HELLO. */
  hello(): Uint8Array {
    const { self, info, clock } = this.options
    const payload = encodeHello(self, info(), this.facts())
    return encode(Message, { type: Message_Type.DISC_HELLO, timestamp: clock.now(), payload, signature: new Uint8Array(0) })
  }

  /** Reads a HELLO. Throws ERR_NETWORK_HELLO if it cannot be read. */
  judge(payload: Uint8Array): { readonly hello: Hello; readonly refused: Refusal | undefined } {
    const hello = decodeHello(payload)
    return { hello, refused: this.refusal(hello) }
  }

  private refusal({ id, endpoint, weft }: Hello): Refusal | undefined {
    const { self, session } = this.options
    if (id === self.ID.name) {
      return weft?.session === session
        ? { reason: 'an address leads to this peer itself and is not dialled again', facts: {}, isSelf: true }
        : { reason: `another peer has the id of this one, ${id}: peer.id must be unique in the network`, facts: {}, isSelf: false }
    }
    if (endpoint.type !== PeerEndpoint_Type.VALIDATOR || self.type !== PeerEndpoint_Type.VALIDATOR) return undefined
    if (weft === undefined) return this.refuseOriginals === undefined ? undefined : { reason: this.refuseOriginals, facts: {}, isSelf: false }
    const difference = differingSetting(this.settings, weft.settings)
    return (
      difference && {
        reason: `ERR_NETWORK_SETTINGS: validators must agree on ${difference.key}: ${self.ID.name} has ${difference.own}, ${id} has ${difference.other}`,
        facts: difference,
        isSelf: false,
      }
    )
  }

  private facts(): WeftFacts {
    return { session: this.options.session, capabilities: new Set([PACKED, EPOCHS]), settings: this.settings }
  }
}
