import { PeerError } from '../../kernel/index.js'

/**
 * What a simulation can show of an engine.
 * `safety`: something happened that must never happen (two blocks at a height, a request lost or doubled, two votes).
 * `liveness`: something did not happen in time. `contract`: the engine broke a rule of its interface (it threw, waited for a promise, halted).
 */
export type FailureKind = 'safety' | 'liveness' | 'contract'

const CODES = { safety: 'ERR_SIMULATION_SAFETY', liveness: 'ERR_SIMULATION_LIVENESS', contract: 'ERR_SIMULATION_CONTRACT' } as const

const NAMES = { safety: 'SafetyViolation', liveness: 'LivenessViolation', contract: 'ContractViolation' } as const

/** A run showed that something is broken. `statement` says what in one line; the message adds the state of every member. */
export class SimulationFailure extends PeerError {
  constructor(
    readonly kind: FailureKind,
    readonly statement: string,
    state: string,
  ) {
    super(CODES[kind], state === '' ? statement : `${statement}; ${state}`)
    this.name = NAMES[kind]
  }
}

/** Something happened that must never happen. */
export class SafetyViolation extends SimulationFailure {
  constructor(statement: string, state = '') {
    super('safety', statement, state)
  }
}

/** What had to happen did not happen in time. */
export class LivenessViolation extends SimulationFailure {
  constructor(statement: string, state = '') {
    super('liveness', statement, state)
  }
}

/** An engine broke a rule of its interface. */
export class ContractViolation extends SimulationFailure {
  constructor(statement: string, state = '') {
    super('contract', statement, state)
  }
}

/** What a checker found, before it is known in which state the members were. */
export interface Violation {
  readonly kind: FailureKind
  readonly statement: string
}

export function failureOf({ kind, statement }: Violation, state: string): SimulationFailure {
  if (kind === 'liveness') return new LivenessViolation(statement, state)
  return kind === 'safety' ? new SafetyViolation(statement, state) : new ContractViolation(statement, state)
}
