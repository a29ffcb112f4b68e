import { createHook } from 'node:async_hooks'
import { createRequire, syncBuiltinESMExports } from 'node:module'

/** What an engine must not touch, by the object that has it. Each is replaced by one that tells on its caller. */
function forbidden(): readonly (readonly [owner: object, ownerName: string, names: readonly string[]])[] {
  const require = createRequire(import.meta.url)
  const nodeCrypto: object = require('node:crypto')
  return [
    [Math, 'Math', ['random']],
    [performance, 'performance', ['now']],
    [process, 'process', ['hrtime', 'nextTick', 'cpuUsage', 'memoryUsage', 'uptime', 'exit', 'abort', 'kill', 'chdir', 'cwd']],
    [globalThis.crypto, 'crypto', ['getRandomValues', 'randomUUID']],
    [nodeCrypto, 'node:crypto', ['randomBytes', 'randomInt', 'randomUUID', 'randomFillSync', 'generateKeyPairSync']],
    [globalThis, '', ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'fetch']],
  ]
}

/**
 * Notices what code does behind its host's back, while it runs inside `inside`: clocks, randomness, the environment, timers, everything asynchronous (also promises that only an
 * `async` function makes), new global variables. To be installed before the code is loaded, which may keep what it finds.
 */
export class Traps {
  /** What was touched, with the handler in which it was first. */
  readonly caught = new Map<string, string>()
  #handler: string | undefined
  readonly #undo: (() => void)[] = []
  readonly #asynchronous = createHook({ init: (_, type) => this.#tell(type === 'PROMISE' ? 'a promise' : `something asynchronous (${type})`) })

  install(): void {
    for (const [owner, ownerName, names] of forbidden()) for (const name of names) this.#replace(owner, name, ownerName === '' ? name : `${ownerName}.${name}`)
    this.#replaceDate()
    this.#replaceEnvironment()
    syncBuiltinESMExports()
  }

  remove(): void {
    for (const undo of this.#undo.splice(0).reverse()) undo()
    syncBuiltinESMExports()
  }

  /** Runs the engine's code. */
  inside<T>(handler: string, run: () => T): T {
    const outer = this.#handler
    const globals = Reflect.ownKeys(globalThis).length
    this.#handler = handler
    if (outer === undefined) this.#asynchronous.enable()
    try {
      return run()
    } finally {
      if (outer === undefined) this.#asynchronous.disable()
      this.#handler = outer
      if (Reflect.ownKeys(globalThis).length !== globals) this.caught.set('a global variable of its own', handler)
    }
  }

  #tell(what: string): void {
    if (this.#handler !== undefined && !this.caught.has(what)) this.caught.set(what, this.#handler)
  }

  #replace(owner: object, name: string, label: string): void {
    const found = Object.getOwnPropertyDescriptor(owner, name)
    const original: unknown = Reflect.get(owner, name)
    if (typeof original !== 'function') return
    const replacement = new Proxy(original, {
      apply: (target, self, args) => {
        this.#tell(label)
        return Reflect.apply(target, self, args)
      },
    })
    Object.defineProperty(owner, name, { value: replacement, writable: true, configurable: true, enumerable: found?.enumerable ?? false })
    this.#undo.push(() => (found ? Object.defineProperty(owner, name, found) : Reflect.deleteProperty(owner, name)))
  }

  /** It differs between machines, and a process of an engine's own has none. */
  #replaceEnvironment(): void {
    const original = process.env
    process.env = new Proxy(original, {
      get: (target, name, self) => {
        this.#tell(`process.env.${String(name)}`)
        return Reflect.get(target, name, self)
      },
      ownKeys: (target) => {
        this.#tell('process.env')
        return Reflect.ownKeys(target)
      },
    })
    this.#undo.push(() => void (process.env = original))
  }

  /** A moment that is given can be read with it; only the present one is out of bounds. */
  #replaceDate(): void {
    const original = globalThis.Date
    const now = new Proxy(original.now, {
      apply: (target, self, args) => {
        this.#tell('Date.now')
        return Reflect.apply(target, self, args)
      },
    })
    globalThis.Date = new Proxy(original, {
      construct: (target, args, made) => {
        if (args.length === 0) this.#tell('new Date()')
        return Reflect.construct(target, args, made)
      },
      apply: (target, self, args) => {
        this.#tell('Date()')
        return Reflect.apply(target, self, args)
      },
      get: (target, name, self) => (name === 'now' ? now : Reflect.get(target, name, self)),
    })
    this.#undo.push(() => void (globalThis.Date = original))
  }
}
