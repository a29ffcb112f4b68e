import type { Mutant } from './mutant.js'
import { ENGINE_MUTANTS } from './mutants-engine.js'
import { HOST_MUTANTS } from './mutants-host.js'
import { OTHER_MUTANTS } from './mutants-others.js'
import { PBFT_MUTANTS } from './mutants-pbft.js'

/** The whole museum. */
export const MUTANTS: readonly Mutant[] = [...ENGINE_MUTANTS, ...PBFT_MUTANTS, ...OTHER_MUTANTS, ...HOST_MUTANTS]
