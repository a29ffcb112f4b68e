/** Puts a global in its place for good. */
export function fix(owner: object, name: string, value: unknown): void {
  Object.defineProperty(owner, name, { value, writable: false, enumerable: false, configurable: false })
}

/** Instead of what differs between two runs: throws, and says what there is. */
export function refusal(why: string): () => never {
  return () => {
    throw new Error(why)
  }
}

/** From now on `Date` knows given moments only; `now` takes the place of the present one. */
export function fixDate(now: () => never): void {
  fix(Date, 'now', now)
  const dated = new Proxy(Date, {
    apply: now,
    construct: (target, args, self) => (args.length === 0 ? now() : Reflect.construct(target, args, self)),
  })
  fix(Date.prototype, 'constructor', dated)
  fix(globalThis, 'Date', dated)
}
