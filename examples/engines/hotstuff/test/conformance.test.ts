import { engineSuite } from 'weft/testkit'
import { hotstuff } from '../src/index.js'

engineSuite(hotstuff, { options: { viewTimeoutMs: 500 }, seeds: Number(process.env['WEFT_KIT_SEEDS'] ?? 3) })
