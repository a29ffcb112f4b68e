import { describeMutants } from './describe-mutants.js'
import { ENGINE_MUTANTS } from './mutants-engine.js'

describeMutants('plugins/pbft', ENGINE_MUTANTS)
