import { engineSuite } from '../kit/index.js'
import { pbftSkeleton } from './skeletons/pbft.js'

// Fewer seeds than of a real engine: the museum plays it healthy with many more.
engineSuite(pbftSkeleton, { members: [4], seeds: Number(process.env['WEFT_KIT_SEEDS'] ?? 8) })
