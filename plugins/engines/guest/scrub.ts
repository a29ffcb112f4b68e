/**
 * Takes from the global scope what differs between two runs: clock, randomness, timers. For honest engines, so that they fail early and say why; a hostile one
 * is held by the process's sandbox.
 */
export function scrubGlobals(): void {
  const now = refusal('the current time', 'use host.now')
  define(Date, 'now', now)
  const dated = new Proxy(Date, {
    apply: now,
    construct: (target, args, self) => (args.length === 0 ? now() : Reflect.construct(target, args, self)),
  })
  define(Date.prototype, 'constructor', dated)
  define(globalThis, 'Date', dated)
  define(Math, 'random', refusal('Math.random', 'use host.random()'))
  for (const name of ['setTimeout', 'setInterval', 'setImmediate']) define(globalThis, name, refusal(name, 'use host.setTimer()'))
  define(globalThis, 'fetch', refusal('fetch', 'there is no network; use host.send()'))
  define(globalThis, 'performance', Object.freeze({ now }))
}

function refusal(name: string, instead: string): () => never {
  return () => {
    throw new Error(`${name} is not available to engines: the same events must lead to the same effects (${instead})`)
  }
}

function define(owner: object, name: string, value: unknown): void {
  Object.defineProperty(owner, name, { value, writable: false, enumerable: false, configurable: false })
}
