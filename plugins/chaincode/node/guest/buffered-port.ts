import { type ChaincodeMessage, ChaincodeMessage_Type as Type, PutStateInfo } from '../../../../proto/messages.js'
import { RequestError } from '../../api/errors.js'
import { MessagePort } from '../../api/message-port.js'

/** Writes that are kept before they are sent. */
const MAX_BUFFERED_BYTES = 256 * 1024
/** Room for what surrounds key and value in a frame. */
const FRAME_OVERHEAD_BYTES = 1024

interface Write {
  readonly key: Uint8Array
  /** Nothing: deleted. */
  readonly value: Uint8Array | undefined
}

/**
 * A call's requests over the pipe. Writes get no reply: they wait here, are read from here, and go out before whatever
 * must see them - a range query, another chaincode, the end of the call - so that all acts as if each had been sent at once.
 */
export class BufferedPort extends MessagePort {
  readonly #post: (type: Type, payload: Uint8Array) => void
  readonly #maxBytes: number
  readonly #waiting: ((reply: ChaincodeMessage) => void)[] = []
  readonly #writes = new Map<string, Write>()
  /** Values as they were when the call began. Nobody else can write them while it runs; its own write takes the key out. */
  readonly #foreseen: Map<string, Uint8Array>
  #bufferedBytes = 0

  /** @param foreseen values that came with the call, by `idOf` their keys */
  constructor(post: (type: Type, payload: Uint8Array) => void, maxFrameBytes: number, foreseen = new Map<string, Uint8Array>()) {
    super()
    this.#foreseen = foreseen
    this.#post = post
    this.#maxBytes = maxFrameBytes - FRAME_OVERHEAD_BYTES
  }

  protected override send(type: Type, payload: Uint8Array): Promise<ChaincodeMessage> {
    // A read of a key that is not buffered needs no flush: it cannot see the writes that are.
    if (type !== Type.GET_STATE) this.flush()
    this.#post(type, payload)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  override get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const id = idOf(key)
    const write = this.#writes.get(id)
    const known = write === undefined ? this.#foreseen.get(id) : write.value
    if (write === undefined && known === undefined) return super.get(key)
    return Promise.resolve(known === undefined ? undefined : new Uint8Array(known))
  }

  override async put(key: Uint8Array, value: Uint8Array): Promise<void> {
    this.#buffer({ key, value })
  }

  override async delete(key: Uint8Array): Promise<void> {
    this.#buffer({ key, value: undefined })
  }

  /** The answer to the oldest request. */
  reply(message: ChaincodeMessage): void {
    this.#waiting.shift()?.(message)
  }

  /** Sends the buffered writes. */
  flush(): void {
    if (this.#writes.size === 0) return
    for (const { key, value } of this.#writes.values()) {
      if (value === undefined) this.#post(Type.DEL_STATE, key)
      else this.#post(Type.PUT_STATE, PutStateInfo.encode({ key, value }).finish())
    }
    this.#writes.clear()
    this.#bufferedBytes = 0
  }

  #buffer(write: Write): void {
    const bytes = write.key.length + (write.value?.length ?? 0)
    if (bytes > this.#maxBytes) throw new RequestError(`a key and value of ${bytes} bytes are longer than the limit of ${this.#maxBytes}`)
    const id = idOf(write.key)
    this.#foreseen.delete(id)
    this.#writes.set(id, write)
    this.#bufferedBytes += bytes
    if (this.#bufferedBytes > MAX_BUFFERED_BYTES) this.flush()
  }
}

/** Keys are any bytes; each becomes one code unit. */
export function idOf(key: Uint8Array): string {
  let id = ''
  for (const byte of key) id += String.fromCharCode(byte)
  return id
}
