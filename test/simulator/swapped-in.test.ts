import { expect, it } from 'vitest'
import sequencer from '../../examples/engines/sequencer/src/index.js'
import type { Engine, EngineFactory } from '../../plugins/consensus/index.js'
import { checkSwaps, hasSteadyDeliveries } from '../kit/conformance.js'

const MEMBERS = 3

/** As an engine that drops what comes before it expects it, and counts on the next message to show the gap: on trial there is none. */
const forgetful: EngineFactory = {
  ...sequencer.engine,
  create(host, options, start): Engine {
    const engine = sequencer.engine.create(host, sequencer.engine.parseOptions(options), start)
    let isFirst = true
    return {
      ...engine,
      onMessage(from, bytes) {
        if (!isFirst) engine.onMessage?.(from, bytes)
        isFirst = false
      },
    }
  },
}

it('an engine that is ready for early messages is swapped in', { timeout: 60_000 }, async () => {
  await expect(checkSwaps(sequencer.engine, undefined, MEMBERS)).resolves.toBeUndefined()
})

it('one that loses them is told so, and why, although it orders everything where it began', { timeout: 60_000 }, async () => {
  await expect(hasSteadyDeliveries(forgetful, undefined, MEMBERS)).resolves.toBeUndefined()
  await expect(checkSwaps(forgetful, undefined, MEMBERS)).rejects.toThrow(/carried out \(seed 1\): .*on trial its engine ordered \d of the \d transactions/)
})

it('one that breaks after it was sealed is told so, although the network crosses without it', { timeout: 60_000 }, async () => {
  const unprepared: EngineFactory = {
    ...sequencer.engine,
    create(host, options, start): Engine {
      const engine = sequencer.engine.create(host, sequencer.engine.parseOptions(options), start)
      return {
        ...engine,
        onSealed: () => host.setTimer('sealed', 1),
        onTimer(name) {
          if (name === 'sealed') throw new Error('there is no other engine')
          engine.onTimer?.(name)
        },
      }
    },
  }
  await expect(checkSwaps(unprepared, undefined, MEMBERS)).rejects.toThrow(/an engine which is sealed .*\(seed 1\): .*there is no other engine/)
})
