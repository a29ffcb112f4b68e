import { encode, Message, Message_Type, type Timestamp } from '../../proto/index.js'

/** What a peer understands beyond v0.6, as its HELLO names it. */
export const PACKED = 'packed'
export const EPOCHS = 'epochs'

const NOTHING = new Uint8Array(0)

/** A serialised message. Only DISC_HELLO and SYNC_BLOCK_ADDED carry a time (spec/wire.md §11.3). */
export function encodeMessage(type: Message_Type, payload: Uint8Array = NOTHING, timestamp?: Timestamp): Uint8Array {
  return encode(Message, { type, timestamp, payload, signature: NOTHING })
}

/** A type's name as the specification has it, or its number. */
export function typeName(type: Message_Type): string {
  return Message_Type[type] ?? `type ${type}`
}
