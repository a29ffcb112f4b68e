import {
  status,
  type MethodDefinition,
  type Server,
  type ServerUnaryCall,
  type ServiceDefinition,
  type UntypedHandleCall,
  type UntypedServiceImplementation,
  type sendUnaryData,
} from '@grpc/grpc-js'
import { type ListenerOwner, type Logger, PeerError } from '../../kernel/index.js'
import { toGrpcStatus } from './methods.js'
import { MethodTraffic } from './traffic.js'

/** Who serves one method at the moment. */
interface Slot {
  readonly path: string
  readonly traffic: MethodTraffic
  /** Callers must have shown a certificate. */
  readonly isGuarded: boolean
  owner: ListenerOwner | undefined
  implementation: UntypedServiceImplementation
  handler: Function | undefined
  /** True while a plugin is being replaced: clients may try again. */
  awaited: boolean
}

/**
 * The methods of one gRPC server. Each is registered once, for good, with a handler that looks up who serves it now:
 * grpc-js leaves a gap when a service is removed and added again.
 */
export class ServiceTable {
  readonly #slots = new Map<string, Slot>()

  constructor(
    private readonly server: Server,
    private readonly log: Logger,
    /** The methods, by path, that only callers with a client certificate may call. */
    private readonly isGuarded: (path: string) => boolean,
  ) {}

  /** Puts an implementation in charge; returns how to take it out. Throws ERR_SERVICE_TAKEN, changing nothing. */
  add(owner: ListenerOwner, service: ServiceDefinition, implementation: UntypedServiceImplementation): () => void {
    const methods = Object.entries(service)
    for (const [, { path }] of methods) {
      const other = this.#slots.get(path)?.owner
      if (other === undefined) continue
      throw new PeerError('ERR_SERVICE_TAKEN', `plugin ${owner.name} adds ${path}, which plugin ${other.name} serves already`, {
        details: { path, plugins: [other.name, owner.name] },
      })
    }
    const taken = methods.map(([name, method]) => {
      const slot = this.#slots.get(method.path) ?? this.#register(method)
      slot.owner = owner
      slot.implementation = implementation
      slot.handler = implementation[name] ?? implementation[method.originalName ?? name]
      slot.awaited = false
      return slot
    })
    return () => {
      for (const slot of taken) if (slot.implementation === implementation) clear(slot, false)
    }
  }

  /** Takes out everything of a plugin. `awaited`: a successor is on its way. */
  release(owner: ListenerOwner, awaited: boolean): void {
    for (const slot of this.#slots.values()) if (slot.owner === owner) clear(slot, awaited)
  }

  /** No successor is awaited any longer. */
  settle(): void {
    for (const slot of this.#slots.values()) slot.awaited = false
  }

  /** What each method has to do. */
  *traffic(): Iterable<MethodTraffic> {
    for (const { traffic } of this.#slots.values()) yield traffic
  }

  #register(method: MethodDefinition<unknown, unknown>): Slot {
    const slot: Slot = {
      path: method.path,
      traffic: new MethodTraffic(method.path),
      isGuarded: this.isGuarded(method.path),
      owner: undefined,
      implementation: {},
      handler: undefined,
      awaited: false,
    }
    this.#slots.set(method.path, slot)
    const kind = method.requestStream ? (method.responseStream ? 'bidi' : 'clientStream') : method.responseStream ? 'serverStream' : 'unary'
    const handle: UntypedHandleCall = method.responseStream ? this.#streamHandler(slot) : this.#replyHandler(slot)
    this.server.register(method.path, handle, method.responseSerialize, method.requestDeserialize, kind)
    return slot
  }

  #replyHandler(slot: Slot) {
    return (call: AuthenticatedCall, callback: sendUnaryData<unknown>): void => {
      let answered = false
      slot.traffic.began()
      const answer: sendUnaryData<unknown> = (error, value, trailer, flags) => {
        if (answered) return // grpc-js throws on a second answer; the first one stands
        answered = true
        const failure = error ? { ...toGrpcStatus(error), metadata: error.metadata } : null
        slot.traffic.ended(failure?.code ?? status.OK)
        if (failure) callback(failure, null, trailer)
        else callback(null, value, trailer, flags)
      }
      invoke(slot, call, [call, answer], (error) => {
        if (answered) this.log.in(slot.path).error(`failed after it had answered: ${toGrpcStatus(error).details}`)
        else answer(toGrpcStatus(error))
      })
    }
  }

  #streamHandler(slot: Slot) {
    return (call: StreamCall): void => {
      // A cancelled stream emits 'error', and without a listener of ours a plugin that forgot one would end the process.
      call.on('error', (error) => this.log.in(slot.path).debug(`stream ended: ${toGrpcStatus(error).details}`))
      answerWhenDestroyed(call)
      countStream(call, slot.traffic)
      invoke(slot, call, [call], (error) => call.emit('error', toGrpcStatus(error)))
    }
  }
}

type AuthenticatedCall = Pick<ServerUnaryCall<unknown, unknown>, 'getAuthContext' | 'getPeer'>

/** What is used of a server's streaming call. */
interface StreamCall extends AuthenticatedCall {
  readonly cancelled: boolean
  readonly writableEnded: boolean
  emit(event: 'error', error: object): boolean
  on(event: 'error' | 'finish' | 'cancelled' | 'close', listener: (error?: unknown) => void): unknown
  destroy(reason?: Error): unknown
}

/**
 * grpc-js leaves a client waiting for ever when its stream is destroyed on the server, as leaving a `for await` over it does.
 * So a stream that is destroyed before it has ended is answered: with the reason, or with what is emitted next.
 */
function answerWhenDestroyed(call: StreamCall): void {
  const destroy = call.destroy.bind(call)
  call.destroy = (reason) => {
    if (call.cancelled || call.writableEnded) return destroy(reason)
    // Leaving a `for await` destroys with an AbortError, at its natural end too: what its function does next counts.
    if (reason instanceof Error && reason.name !== 'AbortError') call.emit('error', toGrpcStatus(reason))
    else setImmediate(() => call.writableEnded || call.emit('error', { code: status.UNAVAILABLE, details: 'the peer ended the stream' }))
    return call
  }
}

/** A stream ends once: with the status of its first error, as cancelled, or well. */
function countStream(call: StreamCall, traffic: MethodTraffic): void {
  let isOver = false
  const end = (code: number): void => {
    if (isOver) return
    isOver = true
    traffic.ended(code)
  }
  traffic.began()
  call.on('error', (error) => end(toGrpcStatus(error).code))
  call.on('cancelled', () => end(status.CANCELLED))
  call.on('finish', () => end(status.OK))
  call.on('close', () => end(call.cancelled ? status.CANCELLED : status.OK))
}

function clear(slot: Slot, awaited: boolean): void {
  slot.owner = undefined
  slot.implementation = {}
  slot.handler = undefined
  slot.awaited = awaited
}

/** Calls whoever serves the method now; whatever goes wrong, at once or later, goes to `fail`. */
function invoke(slot: Slot, call: AuthenticatedCall, args: readonly unknown[], fail: (error: unknown) => void): void {
  if (slot.handler === undefined) {
    if (slot.awaited) fail({ code: status.UNAVAILABLE, details: `${slot.path} is being replaced; try again` })
    else fail({ code: status.UNIMPLEMENTED, details: `no plugin serves ${slot.path}` })
    return
  }
  if (slot.isGuarded && call.getAuthContext().sslPeerCertificate === undefined) {
    const details = `${slot.path} demands a client certificate (peer.tls.clientAuth): set peer.tls.clientCert.file and peer.tls.clientKey.file`
    fail({ code: status.UNAUTHENTICATED, details })
    return
  }
  if (slot.owner?.ready !== true) {
    fail({ code: status.UNAVAILABLE, details: 'the peer is starting; try again' })
    return
  }
  try {
    // What kind of call this is was fixed at registration, which the types of grpc-js cannot express.
    const outcome: unknown = Reflect.apply(slot.handler, slot.implementation, args)
    if (outcome instanceof Promise) outcome.catch(fail)
  } catch (error) {
    fail(error)
  }
}
