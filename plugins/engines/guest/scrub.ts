import { fix, fixDate, refusal } from '../../sandbox/deterministic.js'

/**
 * Takes from the global scope what differs between two runs: clock, randomness, timers. For honest engines, so that they fail early and say why; a hostile one
 * is held by the process's sandbox.
 */
export function scrubGlobals(): void {
  const now = without('the current time', 'use host.now')
  fixDate(now)
  fix(Math, 'random', without('Math.random', 'use host.random()'))
  for (const name of ['setTimeout', 'setInterval', 'setImmediate']) fix(globalThis, name, without(name, 'use host.setTimer()'))
  fix(globalThis, 'fetch', without('fetch', 'there is no network; use host.send()'))
  fix(globalThis, 'performance', Object.freeze({ now }))
}

function without(name: string, instead: string): () => never {
  return refusal(`${name} is not available to engines: the same events must lead to the same effects (${instead})`)
}
