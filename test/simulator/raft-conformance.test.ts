import { engineSuite } from '../kit/index.js'
import { raftSkeleton } from './skeletons/raft.js'

engineSuite(raftSkeleton, { members: [4] })
