import { fix, fixDate, refusal } from '../../../sandbox/deterministic.js'

/** Globals that a deployed chaincode keeps: the language, whose results are the same on every validator, and plain helpers. */
const KEPT = new Set(
  [
    'Object Function Array Number Boolean String Symbol BigInt Date Promise RegExp JSON Math Proxy Reflect Map Set WeakMap WeakSet',
    'Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError SuppressedError',
    'ArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array',
    'Float32Array Float64Array BigInt64Array BigUint64Array Iterator',
    'parseFloat parseInt isFinite isNaN decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape eval',
    'Infinity NaN undefined globalThis TextEncoder TextDecoder queueMicrotask structuredClone atob btoa',
  ].flatMap((line) => line.split(' ')),
)

const WHY = 'is not available in deployed chaincode: every validator must compute the same result'

/** Locale-aware methods: their results depend on the ICU data of the Node.js that runs them. */
const LOCALE_METHODS: readonly (readonly [object, string])[] = [
  [Array.prototype, 'toLocaleString'],
  [BigInt.prototype, 'toLocaleString'],
  [Date.prototype, 'toLocaleDateString'],
  [Date.prototype, 'toLocaleString'],
  [Date.prototype, 'toLocaleTimeString'],
  [Number.prototype, 'toLocaleString'],
  [Object.getPrototypeOf(Uint8Array.prototype), 'toLocaleString'],
  [String.prototype, 'localeCompare'],
  [String.prototype, 'toLocaleLowerCase'],
  [String.prototype, 'toLocaleUpperCase'],
]

/**
 * Takes from the global scope what differs between two runs - clock, randomness, timers, garbage collection, locale data - and what reaches out.
 * This is for honest chaincode, so that it fails early and says why; hostile chaincode is held by the process's sandbox.
 */
export function scrubGlobals(log: (level: 'debug' | 'info' | 'warning' | 'error', message: string) => void): void {
  for (const name of Object.getOwnPropertyNames(globalThis)) if (!KEPT.has(name)) Reflect.deleteProperty(globalThis, name)
  fixDate(without('the current time', 'use stub.txTimestamp'))
  fix(Math, 'random', without('Math.random', 'derive numbers from stub.txId'))
  for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'fetch']) fix(globalThis, name, without(name, 'only promises of the stub'))
  fix(
    globalThis,
    'crypto',
    Object.freeze({ randomUUID: without('crypto.randomUUID', 'use stub.txId'), getRandomValues: without('crypto.getRandomValues', 'use stub.txId') }),
  )
  for (const [owner, name] of LOCALE_METHODS) fix(owner, name, without(name, 'compare code units or bytes'))
  const line =
    (level: 'debug' | 'info' | 'warning' | 'error') =>
    (...words: unknown[]) =>
      log(level, words.map(String).join(' '))
  fix(globalThis, 'console', Object.freeze({ debug: line('debug'), log: line('info'), info: line('info'), warn: line('warning'), error: line('error') }))
}

function without(name: string, instead: string): () => never {
  return refusal(`${name} ${WHY} (${instead})`)
}
