import { behavesAsAnEngine } from './skeletons/behaviour.js'
import { raftSkeleton } from './skeletons/raft.js'

behavesAsAnEngine('Raft', raftSkeleton, [3, 5])
