import { behavesAsAnEngine } from './skeletons/behaviour.js'
import { pbftSkeleton } from './skeletons/pbft.js'

behavesAsAnEngine('PBFT', pbftSkeleton, [4])
