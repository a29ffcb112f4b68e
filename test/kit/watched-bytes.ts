import type { Engine, EngineFactory, EngineHost } from '../../plugins/consensus/index.js'
import { ContractViolation } from './failures.js'
import { factoryWith } from './factory-with.js'
import { hostWith } from './host-with.js'

/** Of the bytes that went to and fro, the newest are looked at again: whoever writes into them does so soon. */
const WATCHED = 128

interface Watched {
  readonly what: string
  readonly bytes: Uint8Array
  readonly copy: Uint8Array
}

/** Bytes that one side gave the other, and what they were then. */
class BytesWatch {
  #watched: Watched[] = []

  /** All bytes in what was given. */
  note(what: string, given: unknown): void {
    if (given instanceof Uint8Array) this.#add(what, given)
    else if (given instanceof Map || Array.isArray(given)) for (const each of given.values()) this.note(what, each)
    else if (typeof given === 'object' && given !== null) for (const each of Object.values(given)) this.note(what, each)
  }

  /** Throws ContractViolation if some are not what they were. */
  look(who: string): void {
    const changed = this.#watched.find(({ bytes, copy }) => Buffer.compare(bytes, copy) !== 0)
    if (changed) throw new ContractViolation(`expected that bytes stay as they are once they were handed over; ${who} changed those of ${changed.what}`)
  }

  #add(what: string, bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#watched.some((watched) => watched.bytes === bytes)) return
    this.#watched.push({ what, bytes, copy: Uint8Array.from(bytes) })
    if (this.#watched.length > WATCHED) this.#watched = this.#watched.slice(-WATCHED / 2)
  }
}

/**
 * An engine that behaves as the given one, and throws ContractViolation from a handler once bytes are not what they were when they were handed over: by the engine, if it
 * gave or was given them and changed them while a handler ran; else by who is around it.
 */
export function watchBytes<O>(factory: EngineFactory<O>): EngineFactory<O> {
  return factoryWith(factory, (host, options, start) => {
    const watch = new BytesWatch()
    watch.note('its start', start)
    const engine = factory.create(watchedHost(host, watch), options, start)
    watch.look('create')
    return watchedEngine(engine, watch)
  })
}

function watchedEngine(engine: Engine, watch: BytesWatch): Engine {
  return new Proxy(engine, {
    get(target, name) {
      const handler: unknown = Reflect.get(target, name)
      if (typeof handler !== 'function') return handler
      return (...given: readonly unknown[]): unknown => {
        watch.look(`before ${String(name)}, who is around the engine`)
        watch.note(String(name), given)
        const returned: unknown = Reflect.apply(handler, target, given)
        watch.look(String(name))
        return returned
      }
    },
  })
}

function watchedHost(host: EngineHost, watch: BytesWatch): EngineHost {
  const watched =
    <A extends readonly unknown[]>(name: string, call: (...given: A) => void) =>
    (...given: A): void => {
      watch.note(name, given)
      call(...given)
    }
  return hostWith(host, {
    send: watched('send', (to, bytes, options) => host.send(to, bytes, options)),
    broadcast: watched('broadcast', (bytes, options) => host.broadcast(bytes, options)),
    put: watched('put', (key, bytes) => host.put(key, bytes)),
    deliver: watched('deliver', (tag, requests, options) => host.deliver(tag, requests, options)),
    execute: watched('execute', (tag, requests) => host.execute(tag, requests)),
    commit: watched('commit', (tag, metadata) => host.commit(tag, metadata)),
    transferTo: watched('transferTo', (target) => host.transferTo(target)),
    sign: watched('sign', (token, bytes) => host.sign(token, bytes)),
    verify: watched('verify', (token, items) => host.verify(token, items)),
  })
}
