import { expect, it } from 'vitest'
import { raft } from '../../examples/engines/raft/src/index.js'
import sequencer from '../../examples/engines/sequencer/src/index.js'
import type { Engine, EngineFactory, EngineHost } from '../../plugins/consensus/index.js'
import { pbft } from '../../plugins/pbft/index.js'
import { factoryWith } from '../kit/factory-with.js'
import { checkGrowth } from '../kit/growth.js'

// `peer engine new` writes the sequencer under another name.
it.each<readonly [EngineFactory, number]>([
  [sequencer.engine, 3],
  [raft, 3],
  [pbft, 4],
])('an engine whose memory and records have a bound is found to be one: $name', async (factory, members) => {
  await expect(checkGrowth(factory, {}, members)).resolves.toMatchObject({ perRequest: expect.any(Number) })
})

/** The sequencer, which in some handlers keeps something for ever. */
function forgetsNothing(keeping: (host: EngineHost) => Pick<Engine, 'onRequest' | 'onMessage' | 'onDelivered'>): EngineFactory {
  return factoryWith(sequencer.engine, (host, options, start) => {
    const engine = sequencer.engine.create(host, options, start)
    const keeper = keeping(host)
    return {
      ...engine,
      onRequest: (request) => [keeper, engine].forEach((part) => part.onRequest?.(request)),
      onMessage: (from, bytes) => [keeper, engine].forEach((part) => part.onMessage?.(from, bytes)),
      onDelivered: (tag, block) => [keeper, engine].forEach((part) => part.onDelivered?.(tag, block)),
    }
  })
}

const BYTES = new Uint8Array(8)

it.each<readonly [string, (host: EngineHost) => Pick<Engine, 'onRequest' | 'onMessage' | 'onDelivered'>, RegExp]>([
  ['a record of each block', (host) => ({ onDelivered: (tag) => host.put(tag, BYTES) }), /its records went from \d+ to \d+, such as 'block 1200' and/],
  [
    'one record of all blocks',
    (host) => {
      let blocks = 0
      return { onDelivered: () => host.put('blocks', new Uint8Array((blocks += 1) * 32)) }
    },
    /its 3 records went from \d+ to \d+ bytes: put\(\) what is still needed/,
  ],
  [
    'what others say',
    () => {
      const heard: Uint8Array[] = []
      return { onMessage: (_from, bytes) => void heard.push(bytes) }
    },
    /from block 1200 to 2400 of a quiet chain its memory grew by .* bytes for each block and member, of 3: forget what is in blocks/,
  ],
  [
    'the ids of all requests',
    () => {
      const seen = new Set<string>()
      return { onRequest: ({ id }) => void seen.add(id) }
    },
    /from request 40000 to 80000 of a validator that is alone its memory grew by .* bytes for each request: .*createRecentIds/,
  ],
])('an engine that keeps %s is found to grow', async (_, keeping, found) => {
  await expect(checkGrowth(forgetsNothing(keeping), {}, 3)).rejects.toThrow(found)
})
