import { describeMutants } from './describe-mutants.js'
import { EXAMPLE_RAFT_MUTANTS } from './mutants-example-raft.js'

describeMutants('examples/engines/raft', EXAMPLE_RAFT_MUTANTS)
