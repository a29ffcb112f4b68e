import { AwaitedChaincodes } from '../../../plugins/chaincode/peer/awaited.js'
import { ChaincodeID, ChaincodeMessage, ChaincodeMessage_Type as T, decode, encode } from '../../../proto/index.js'
import { ChaincodeStream, type ChaincodeStreamOptions } from '../../../plugins/chaincode/peer/stream/chaincode-stream.js'
import { admission } from '../../../plugins/chaincode/peer/stream/register-service.js'
import { type Bench, bytes, silentLog } from './kit.js'

const NO_BYTES = new Uint8Array(0)

/** The chaincode's end of a stream, driven by a test. */
export class ScriptedStream {
  readonly sent: Uint8Array[] = []
  ended: { readonly status: number; readonly message: string } | undefined
  readonly stream: ChaincodeStream
  /** Told of each message of the peer as it is sent. */
  onSent: ((message: ChaincodeMessage) => void) | undefined

  constructor(
    bench: Pick<Bench, 'peer' | 'clock'>,
    more: Partial<ChaincodeStreamOptions> & { awaited?: AwaitedChaincodes; mayRegister?: (name: string) => string | undefined } = {},
  ) {
    const { mayRegister = () => undefined, awaited = new AwaitedChaincodes(), ...options } = more
    this.stream = new ChaincodeStream(
      {
        send: (message) => {
          this.sent.push(message)
          this.onSent?.(decode(ChaincodeMessage, message))
        },
        end: (status, message) => {
          this.ended ??= { status, message }
        },
      },
      {
        clock: bench.clock,
        log: silentLog(),
        keepaliveMs: 0,
        registerTimeoutMs: 30_000,
        newId: () => 'an-id',
        admit: admission({ running: bench.peer.runningChaincodes, awaited, mayRegister }),
        ...options,
      },
    )
  }

  /** Sends a message to the peer. */
  say(type: T, txid = '', payload: Uint8Array | string = NO_BYTES, more: Partial<ChaincodeMessage> = {}): void {
    this.stream.receive({
      type,
      timestamp: undefined,
      payload: typeof payload === 'string' ? bytes(payload) : payload,
      txid,
      securityContext: undefined,
      chaincodeEvent: undefined,
      ...more,
    })
  }

  register(name: string): void {
    this.say(T.REGISTER, '', encode(ChaincodeID, { path: '', name }))
  }

  /** The next message of the peer. */
  next(): ChaincodeMessage | undefined {
    const message = this.sent.shift()
    return message && decode(ChaincodeMessage, message)
  }

  /** Everything that the peer has sent since, as `TYPE txid payload`. */
  take(): string[] {
    return this.sent.splice(0).map((message) => {
      const { type, txid, payload } = decode(ChaincodeMessage, message)
      return [T[type], txid, Buffer.from(payload).toString()].filter((word) => word !== '').join(' ')
    })
  }
}
