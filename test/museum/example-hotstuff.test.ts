import { describeMutants } from './describe-mutants.js'
import { EXAMPLE_HOTSTUFF_MUTANTS } from './mutants-example-hotstuff.js'

describeMutants('examples/engines/hotstuff', EXAMPLE_HOTSTUFF_MUTANTS)
