import { noops } from '../../plugins/noops/index.js'
import { engineSuite } from '../kit/index.js'

engineSuite(noops)
