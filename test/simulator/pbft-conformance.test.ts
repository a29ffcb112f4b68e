import { engineSuite } from '../kit/index.js'
import { pbftSkeleton } from './skeletons/pbft.js'

engineSuite(pbftSkeleton, { members: [4] })
