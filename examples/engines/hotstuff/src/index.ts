import { defineEngine, type EngineFactory } from 'weft/consensus'
import { quorumsOf } from './block.js'
import { HotStuff } from './engine.js'
import { type HotStuffOptions, parseOptions } from './options.js'

/** Chained HotStuff for n ≥ 3f + 1: two certified blocks in a row decide the first. See README.md. */
export const hotstuff: EngineFactory<HotStuffOptions> = {
  name: 'hotstuff',
  version: '1.0.0',
  agreement: true,
  tolerates: (n) => ({ crashed: quorumsOf(n).faulty, byzantine: quorumsOf(n).faulty }),
  parseOptions,
  create: (host, options, start) => new HotStuff(host, options, start),
}

export default defineEngine(hotstuff)
