/** What can be wrong with bytes or with a message: see the messages for the facts. */
export type WireErrorCode =
  /** The bytes end inside a field. */
  | 'ERR_WIRE_TRUNCATED'
  /** A varint is longer than ten bytes. */
  | 'ERR_WIRE_VARINT'
  /** A field number is 0, a wire type does not exist, a group ends that did not begin, or a closed message holds another field. */
  | 'ERR_WIRE_TAG'
  /** A known field has another wire type than declared. */
  | 'ERR_WIRE_TYPE'
  /** The decoder refused the bytes for another reason. */
  | 'ERR_WIRE_DECODE'
  /** The message holds a value that its field cannot carry. */
  | 'ERR_WIRE_ENCODE'
  /** A message type that no .proto file declares. */
  | 'ERR_WIRE_SCHEMA'

/** Bytes that are not the message they should be, or a message that cannot be written. `proto` imports no kernel, so this is not a PeerError. */
export class WireError extends Error {
  override readonly name = 'WireError'

  constructor(
    readonly code: WireErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** What is read from bytes that somebody else made; undefined if they are something else, which the reader tells by a WireError. */
export function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}
