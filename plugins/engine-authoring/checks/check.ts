import type * as TestKit from '../../../test/kit/index.js'
import { messageOf } from '../../../kernel/index.js'
import type { FaultKind, Finding, Part } from '../card.js'
import type { EngineCode, LoadedEngine } from '../engine-package.js'
import type { Traps } from '../traps.js'

export type Kit = typeof TestKit

/** What checks work on. */
export interface CheckContext {
  readonly kit: Kit
  readonly code: EngineCode
  readonly loaded: LoadedEngine
  readonly traps: Traps
  /** Raw options of the engine. */
  readonly options: unknown
  /** More of them, for the conformance suite. */
  readonly variants: readonly unknown[]
  readonly seeds: number
  /** Numbers of validators; undefined: as the kit chooses. */
  readonly members: readonly number[] | undefined
  /** Where failing scenarios go. */
  readonly directory: string
}

/** One line of a report card, before it is made. */
export interface Check {
  readonly part: Part
  readonly name: string
  /** What a failure is, if it does not say so itself. */
  readonly kind: FaultKind
  /** Returns a measure, or what to look at or why it was not made; throws what is wrong. */
  readonly run: () => Promise<CheckResult | void> | CheckResult | void
}

export type CheckResult = { readonly detail: string } | { readonly warning: string } | { readonly skipped: string }

/** Runs one check. Never rejects. */
export async function runCheck(check: Check): Promise<Finding> {
  const { part, name } = check
  const begunMs = performance.now()
  const seconds = (): number => Number(((performance.now() - begunMs) / 1000).toFixed(3))
  try {
    const result = await check.run()
    if (!result) return { part, name, verdict: 'passed', seconds: seconds() }
    if ('warning' in result) return { part, name, verdict: 'warned', detail: result.warning, seconds: seconds() }
    if ('skipped' in result) return { part, name, verdict: 'skipped', detail: result.skipped, seconds: seconds() }
    return { part, name, verdict: 'passed', detail: result.detail, seconds: seconds() }
  } catch (error) {
    return { part, name, verdict: 'failed', detail: messageOf(error), kind: kindOf(error) ?? check.kind, seconds: seconds() }
  }
}

/** A failure of the simulator says itself what it is; the suite wraps it. */
function kindOf(error: unknown): FaultKind | undefined {
  if (!(error instanceof Error)) return undefined
  const kind: unknown = Reflect.get(error, 'kind')
  if (kind === 'safety' || kind === 'liveness' || kind === 'contract') return kind
  return kindOf(error.cause)
}

/** Throws an error with this text unless the condition holds. */
export function expect(condition: boolean, text: string): void {
  if (!condition) throw new Error(text)
}
