import { randomUUID } from 'node:crypto'
import type { MethodDefinition } from '@grpc/grpc-js'
import { messageOf } from '../../../../kernel/index.js'
import { type ChaincodeMessage, ChaincodeSupportService } from '../../../../proto/index.js'
import { type BytesCall, messageStream } from '../../../grpc/index.js'
import type { AwaitedChaincodes } from '../awaited.js'
import type { RunningChaincodes } from '../running.js'
import { readMessage } from '../../fast-codec.js'
import { ChaincodeStream, type ChaincodeStreamOptions } from './chaincode-stream.js'

/** How the `Register` service behaves. */
export interface RegisterServiceOptions extends Pick<ChaincodeStreamOptions, 'clock' | 'log' | 'keepaliveMs' | 'registerTimeoutMs' | 'admit'> {
  /** Streams open at a time, registered or not. */
  readonly maxStreams: number
  readonly newId?: () => string
}

const RESOURCE_EXHAUSTED = 8
const INTERNAL = 13
const MAX_NAME_LENGTH = 1024

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const register: MethodDefinition<Buffer, Uint8Array> = {
  ...ChaincodeSupportService.register,
  requestSerialize: asBuffer,
  requestDeserialize: asBuffer,
  responseSerialize: asBuffer,
  responseDeserialize: asBuffer,
}

/** `protos.ChaincodeSupport`, whose messages are read and written here. */
export const registerServiceDefinition = { register }

/** `protos.ChaincodeSupport`: every chaincode that runs outside the peer dials it. */
export function createRegisterService(options: RegisterServiceOptions): { readonly register: (call: BytesCall) => void } {
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
function serve(call: BytesCall, options: RegisterServiceOptions): ChaincodeStream {
  const { clock, log, keepaliveMs, registerTimeoutMs, admit, newId = randomUUID } = options
  const messages = messageStream(call, {
    message(bytes) {
      const message = readOrEnd(bytes)
      if (message === undefined) return
      try {
        stream.receive(message)
      } catch (cause) {
        log.error('a chaincode message could not be handled', { name: stream.name, type: message.type, cause: messageOf(cause) })
        stream.fail(messageOf(cause))
      }
    },
    halfClosed: () => stream.halfClosed(),
  })
  const stream = new ChaincodeStream(
    { send: (message) => messages.send(message), end: (code, details) => messages.end({ code, details }) },
    { clock, log, keepaliveMs, registerTimeoutMs, newId, admit },
  )
  const readOrEnd = (bytes: Buffer): ChaincodeMessage | undefined => {
    try {
      return readMessage(bytes)
    } catch (cause) {
      log.debug('ending the stream of a chaincode: what it sent is no message', { name: stream.name, cause: messageOf(cause) })
      messages.end({ code: INTERNAL, details: 'Error deserializing request' })
      return undefined
    }
  }
  call.on('error', (cause: unknown) => stream.gone(messageOf(cause)))
  call.on('cancelled', () => stream.gone('the connection broke'))
  call.on('close', () => stream.gone('the connection closed'))
  return stream
}
