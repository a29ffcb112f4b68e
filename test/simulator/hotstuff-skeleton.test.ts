import { behavesAsAnEngine } from './skeletons/behaviour.js'
import { hotStuffSkeleton } from './skeletons/hotstuff.js'

behavesAsAnEngine('chained HotStuff', hotStuffSkeleton, [4])
