import { engineSuite } from '../kit/index.js'
import { hotStuffSkeleton } from './skeletons/hotstuff.js'

engineSuite(hotStuffSkeleton, { members: [4] })
