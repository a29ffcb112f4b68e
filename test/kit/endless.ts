import { Worker } from 'node:worker_threads'
import type { Engine, EngineFactory } from '../../plugins/consensus/index.js'
import { factoryWith } from './factory-with.js'

/** How long a call of an engine may take, of real time and of the processor's, if WEFT_KIT_HANDLER_SECONDS does not say. */
const HANDLER_SECONDS = 15

const CALLS = [
  'create',
  'onRequest',
  'onMessage',
  'onPeer',
  'onTimer',
  'onExecuted',
  'onDelivered',
  'onTransferred',
  'onSigned',
  'onVerified',
  'onSealed',
  'dispose',
] as const

/** A thread of its own is the only one that still runs when a handler does not return. Waiting in a debugger takes no time of the processor. */
const WATCHER = `
const { state, calls, limitMs } = require('node:worker_threads').workerData
let seen = 0
let sinceMs = 0
let used = process.cpuUsage()
setInterval(() => {
  const count = Atomics.load(state, 0)
  if ((count & 1) === 0 || count !== seen) {
    seen = count
    sinceMs = performance.now()
    used = process.cpuUsage()
    return
  }
  const { user, system } = process.cpuUsage(used)
  if (performance.now() - sinceMs < limitMs || (user + system) / 1000 < limitMs) return
  const [call, seed, members] = [1, 2, 3].map((at) => Atomics.load(state, at))
  const what = "its '" + calls[call] + "' has run for " + limitMs / 1000 + ' s (seed ' + seed + ' of ' + members + ' validators)'
  require('node:fs').writeSync(2, 'the engine does not return: ' + what + ', and this process ends\\n')
  process.kill(process.pid, 'SIGKILL')
}, Math.min(500, limitMs / 2))
`

/** Ends the process, in words, when a call of an engine does not return. */
class EndlessCalls {
  /** How often a call began or returned, so odd while one runs; which it is; the seed of the run, and its members. */
  readonly #state = new Int32Array(new SharedArrayBuffer(16))

  constructor(limitMs: number) {
    new Worker(WATCHER, { eval: true, execArgv: [], workerData: { state: this.#state, calls: CALLS, limitMs } }).unref()
  }

  /** In which run engines are called from now on. */
  in({ seed, members }: Run): void {
    Atomics.store(this.#state, 2, seed)
    Atomics.store(this.#state, 3, members)
  }

  during<T>(call: number, run: () => T): T {
    const state = this.#state
    Atomics.store(state, 1, call)
    Atomics.add(state, 0, 1)
    try {
      return run()
    } finally {
      Atomics.add(state, 0, 1)
    }
  }
}

let watching: EndlessCalls | undefined

interface Run {
  readonly seed: number
  readonly members: number
}

/**
 * The same engine, whose calls have to return: one that does not ends the process after it has been said on stderr which it was, and in which run, since nobody else could.
 * WEFT_KIT_HANDLER_SECONDS says how long a call may take.
 */
export function returning(factory: EngineFactory, run: Run): EngineFactory {
  const calls = (watching ??= new EndlessCalls(1000 * Number(process.env['WEFT_KIT_HANDLER_SECONDS'] ?? HANDLER_SECONDS)))
  calls.in(run)
  return factoryWith(factory, (host, options, start) =>
    returningInstance(
      calls.during(0, () => factory.create(host, options, start)),
      calls,
    ),
  )
}

function returningInstance(engine: Engine, calls: EndlessCalls): Engine {
  return {
    onRequest: (request) => calls.during(1, () => engine.onRequest?.(request)),
    onMessage: (from, bytes) => calls.during(2, () => engine.onMessage?.(from, bytes)),
    onPeer: (member, up) => calls.during(3, () => engine.onPeer?.(member, up)),
    onTimer: (name) => calls.during(4, () => engine.onTimer?.(name)),
    onExecuted: (tag, result) => calls.during(5, () => engine.onExecuted?.(tag, result)),
    onDelivered: (tag, block) => calls.during(6, () => engine.onDelivered?.(tag, block)),
    onTransferred: (result) => calls.during(7, () => engine.onTransferred?.(result)),
    onSigned: (token, signature) => calls.during(8, () => engine.onSigned?.(token, signature)),
    onVerified: (token, verdicts) => calls.during(9, () => engine.onVerified?.(token, verdicts)),
    onSealed: (height) => calls.during(10, () => engine.onSealed?.(height)),
    dispose: () => calls.during(11, () => engine.dispose?.()),
  }
}
