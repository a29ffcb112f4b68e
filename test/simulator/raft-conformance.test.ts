import { engineSuite } from '../kit/index.js'
import { raftSkeleton } from './skeletons/raft.js'

// Fewer seeds than of a real engine: the museum plays it healthy with many more.
engineSuite(raftSkeleton, { members: [4], seeds: Number(process.env['WEFT_KIT_SEEDS'] ?? 8) })
