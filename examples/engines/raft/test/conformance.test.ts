import { engineSuite } from 'weft/testkit'
import { raft } from '../src/index.js'

// Short time-outs and a short log, so that elections, hand-overs and transfers happen all the time.
const options = { electionTimeoutMs: 200, heartbeatMs: 40, retryMs: 500, batchSize: 5, retainEntries: 4 }
const seeds = Number(process.env['WEFT_KIT_SEEDS'] ?? 3)

engineSuite(raft, { options, members: [3, 5], seeds })
engineSuite({ ...raft, name: 'raft-that-rotates' }, { options: { ...options, handOverBlocks: 2 }, members: [3], seeds })
