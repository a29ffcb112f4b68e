/** A chaincode that tries to leave its sandbox; each function is one attempt and answers with what it got. */
import type { Chaincode, ChaincodeStub } from 'weft/chaincode'

/** Everything that can be called by name from the global object, without the type checker's blessing. */
function reach(path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, name) => (typeof value === 'object' || typeof value === 'function' ? Reflect.get(Object(value), name) : undefined), globalThis)
}

type Callee = (...args: unknown[]) => unknown

function callee(value: unknown): Callee {
  const isCallee = (candidate: unknown): candidate is Callee => typeof candidate === 'function'
  if (isCallee(value)) return value
  throw new Error('nothing to call')
}

/** Names of what could be reached; empty if nothing. */
export async function attempt(what: string): Promise<string> {
  const found: string[] = []
  const tryIt = async (name: string, act: () => unknown) => {
    try {
      const value = await act()
      if (value !== undefined) found.push(`${name}: ${typeof value}`)
    } catch {
      return // refused, which is what is hoped for
    }
  }
  // Built at run time, so that the bundler does not see the name.
  const load = (name: string) => import(['node', name].join(':'))
  const viaConstructor = (name: string) =>
    callee(Reflect.construct(callee(Reflect.get(async () => undefined, 'constructor')), [`return import('node:${name}')`]))()
  if (what === 'network') {
    for (const name of ['net', 'http', 'dgram', 'dns', 'tls', 'http2']) {
      await tryIt(name, () => load(name))
      await tryIt(`${name} by constructor`, () => viaConstructor(name))
    }
    for (const name of ['WebSocket', 'XMLHttpRequest', 'EventSource']) await tryIt(name, () => reach(name))
    await tryIt('fetch', () => callee(reach('fetch'))('http://127.0.0.1/'))
  } else if (what === 'files') {
    for (const name of ['fs', 'fs/promises', 'module']) {
      await tryIt(name, () => load(name))
      await tryIt(`${name} by constructor`, () => viaConstructor(name))
    }
    for (const name of ['require', 'process.mainModule', 'process.getBuiltinModule', 'process.binding', 'module']) await tryIt(name, () => reach(name))
  } else if (what === 'processes') {
    for (const name of ['child_process', 'worker_threads', 'cluster', 'os', 'process', 'vm', 'v8', 'inspector']) {
      await tryIt(name, () => load(name))
      await tryIt(`${name} by constructor`, () => viaConstructor(name))
    }
    for (const name of ['process.kill', 'process.env', 'process.exit', 'process.ppid', 'process.pid', 'Worker', 'WebAssembly', 'SharedArrayBuffer'])
      await tryIt(name, () => reach(name))
    await tryIt('eval', () => callee(reach('eval'))('1+1'))
  }
  return found.join('; ')
}

const hoard: unknown[] = []

async function misbehave(stub: ChaincodeStub, fn: string, args: string[]): Promise<string> {
  switch (fn) {
    case 'try':
      return attempt(args[0] ?? '')
    case 'loop':
      for (;;) hoard.length = 0
    case 'hang':
      return new Promise<string>(() => undefined)
    case 'heap':
      for (;;) hoard.push(Array.from({ length: 1000 }, (_, i) => `${i}${hoard.length}`))
    case 'buffers':
      for (;;) hoard.push(new Uint8Array(16 * 1024 * 1024).fill(1))
    case 'recursion':
      return misbehave(stub, fn, args)
    case 'regex':
      return String(/^(a+)+$/.test(`${'a'.repeat(60)}b`))
    case 'flood':
      for (let i = 0; ; i++) await stub.putState(`key ${i}`, 'x'.repeat(100_000))
    case 'huge answer':
      return 'x'.repeat(64 * 1024 * 1024)
    case 'reads':
      for (;;) await stub.getState('a')
    case 'promises':
      for (;;) void Promise.resolve().then(() => hoard.push(1))
    case 'output':
      for (;;) stub.log.info('x'.repeat(10_000))
    case 'self':
      return new TextDecoder().decode(await stub.queryChaincode(args[0] ?? '', ['self', args[0] ?? '']))
    case 'throw':
      throw Object.create(null)
    default:
      return 'ok'
  }
}

export default {
  init(_stub, fn) {
    if (fn === 'loop') for (;;) hoard.length = 0
  },
  invoke: misbehave,
  query: misbehave,
} satisfies Chaincode
