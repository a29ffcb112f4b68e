import type { Engine, EngineFactory } from '../../consensus/index.js'
import { loadEngine } from '../engine-package.js'
import type { Traps } from '../traps.js'
import { type Check, type CheckContext, expect } from './check.js'
import { recordedLives } from './lives.js'

/** Records runs, plays them again, and watches what the engine touches meanwhile. */
export function determinismChecks(context: CheckContext): Check[] {
  const { kit, code, loaded, traps, options } = context
  const { factory } = loaded
  const lives = recordedLives(context, (inner) => trapped(inner, traps))
  return [
    {
      part: 'determinism',
      name: 'touches no clock, randomness, timer, promise or global variable',
      kind: 'contract',
      run: async () => {
        traps.caught.clear()
        const recordings = await lives()
        const calls = recordings.reduce((sum, recording) => sum + recording.calls.length, 0)
        const found = [...traps.caught].map(([what, handler]) => `${what} in ${handler}`)
        expect(found.length === 0, `expected that time, randomness and results come from the host; found ${found.join('; ')}`)
        return { detail: `${calls} calls of ${recordings.length} instances were watched` }
      },
    },
    {
      part: 'determinism',
      name: 'does the same when a recorded life is played again',
      kind: 'contract',
      run: async () => replayAll(kit.replay, factory, options, await lives()),
    },
    {
      part: 'determinism',
      name: 'does the same when the code is loaded anew: nothing is kept beside the instance',
      kind: 'contract',
      run: async () => replayAll(kit.replay, (await loadEngine(code)).factory, options, await lives()),
    },
    {
      part: 'determinism',
      name: 'leaves bytes alone that it was given, or has given away',
      kind: 'contract',
      run: async () => void (await recordedLives(context, (inner) => kit.watchBytes(inner))()),
    },
  ]
}

type Lives = Awaited<ReturnType<ReturnType<typeof recordedLives>>>

function replayAll(replay: CheckContext['kit']['replay'], factory: EngineFactory, options: unknown, recordings: Lives): void {
  for (const recording of recordings) {
    const difference = replay(factory, factory.parseOptions(options), recording)
    expect(difference === undefined, `expected the same effects for the same events; ${difference?.text}`)
  }
}

/** The same engine, its code inside the traps. */
function trapped(factory: EngineFactory, traps: Traps): EngineFactory {
  return {
    name: factory.name,
    version: factory.version,
    agreement: factory.agreement,
    tolerates: (n) => traps.inside('tolerates', () => factory.tolerates(n)),
    parseOptions: (raw) => traps.inside('parseOptions', () => factory.parseOptions(raw)),
    create: (host, options, start) =>
      trappedInstance(
        traps.inside('create', () => factory.create(host, options, start)),
        traps,
      ),
  }
}

function trappedInstance(engine: Engine, traps: Traps): Engine {
  return new Proxy(engine, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: readonly unknown[]): unknown => traps.inside(String(name), () => Reflect.apply(value, target, args))
    },
  })
}
