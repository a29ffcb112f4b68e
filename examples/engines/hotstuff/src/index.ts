import { defineEngine } from 'weft/consensus'
import { quorumsOf } from './block.js'
import { HotStuff } from './engine.js'
import { parseOptions } from './options.js'

/** Chained HotStuff: n ≥ 3f + 1, two chained certificates decide. See README.md. */
export default defineEngine({
  name: 'hotstuff',
  version: '1.0.0',
  agreement: true,
  tolerates(n) {
    const { faulty } = quorumsOf(n)
    return { crashed: faulty, byzantine: faulty }
  },
  parseOptions,
  create: (host, options, start) => new HotStuff(host, options, start),
})
