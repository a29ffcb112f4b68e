import { randomUUID } from 'node:crypto'
import type { ServerDuplexStream } from '@grpc/grpc-js'
import { messageOf } from '../../../../kernel/index.js'
import { type ChaincodeMessage, ChaincodeSupportService, type Encodable, type ServiceHandlers } from '../../../../proto/index.js'
import type { AwaitedChaincodes } from '../awaited.js'
import type { RunningChaincodes } from '../running.js'
import { readMessage } from './fast-codec.js'
import { ChaincodeStream, type ChaincodeStreamOptions } from './chaincode-stream.js'

/** How the `Register` service behaves. */
export interface RegisterServiceOptions extends Pick<ChaincodeStreamOptions, 'clock' | 'log' | 'keepaliveMs' | 'registerTimeoutMs' | 'admit'> {
  /** Streams open at a time, registered or not. */
  readonly maxStreams: number
  readonly newId?: () => string
}

const RESOURCE_EXHAUSTED = 8
const MAX_NAME_LENGTH = 1024

/** `protos.ChaincodeSupport`, with a quicker way to read messages. */
export const registerServiceDefinition = { register: { ...ChaincodeSupportService.register, requestDeserialize: readMessage } }

/** `protos.ChaincodeSupport`: every chaincode that runs outside the peer dials it. */
export function createRegisterService(options: RegisterServiceOptions): ServiceHandlers<typeof ChaincodeSupportService> {
  let open = 0
  return {
    register(call) {
      if (open >= options.maxStreams) {
        call.emit('error', { code: RESOURCE_EXHAUSTED, details: `${options.maxStreams} chaincode streams are open already` })
        return
      }
      open++
      serve(call, options).onClosed(() => open--)
    },
  }
}

/** Who decides about REGISTER. */
export interface AdmissionOptions {
  readonly running: RunningChaincodes
  /** Chaincodes that this peer has started and that have not registered yet. */
  readonly awaited: AwaitedChaincodes
  /** Whether a chaincode that nobody waits for may register under a name; returns why not (spec/chaincode.md §3.4). */
  readonly mayRegister: (name: string) => string | undefined
}

/** Decides about REGISTER: gives the stream to who waits for it, or enters it into the running map. */
export function admission({ running, awaited, mayRegister }: AdmissionOptions): ChaincodeStreamOptions['admit'] {
  return (stream) => {
    const { name } = stream
    if (name === '' || name.length > MAX_NAME_LENGTH || /[\0\uFFFD]/.test(name))
      return { refused: `not a chaincode name: ${JSON.stringify(name.slice(0, 80))}` }
    if (awaited.take(stream)) return undefined
    const refused = mayRegister(name)
    if (refused !== undefined) return { refused }
    return running.add(stream) === undefined ? 'duplicate' : undefined
  }
}

/** Connects one gRPC stream with its handler. */
function serve(call: ServerDuplexStream<ChaincodeMessage, Encodable<ChaincodeMessage>>, options: RegisterServiceOptions): ChaincodeStream {
  const { clock, log, keepaliveMs, registerTimeoutMs, admit, newId = randomUUID } = options
  const stream = new ChaincodeStream(
    {
      send(message) {
        // A chaincode that asks without reading the answers is not read either, so that nothing piles up here.
        if (!call.write(message)) call.pause()
      },
      end: (code, details) => void call.emit('error', { code, details }),
    },
    { clock, log, keepaliveMs, registerTimeoutMs, newId, admit },
  )
  call.on('drain', () => call.resume())
  call.on('data', (message: ChaincodeMessage) => {
    try {
      stream.receive(message)
    } catch (cause) {
      log.error('a chaincode message could not be handled', { name: stream.name, type: message.type, cause: messageOf(cause) })
      stream.fail(messageOf(cause))
    }
  })
  call.on('end', () => stream.halfClosed())
  call.on('error', (cause: unknown) => stream.gone(messageOf(cause)))
  call.on('cancelled', () => stream.gone('the connection broke'))
  call.on('close', () => stream.gone('the connection closed'))
  return stream
}
