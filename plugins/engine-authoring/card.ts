/** What a check looks at. In this order. */
export const PARTS = ['package', 'promises', 'conformance', 'determinism', 'hostile', 'growth', 'dispose'] as const
export type Part = (typeof PARTS)[number]

/** What a failed check showed; `stuck`: it did not end, or took its process down. */
export type FaultKind = 'safety' | 'liveness' | 'contract' | 'package' | 'stuck'

/** How one check ended. */
export interface Finding {
  readonly part: Part
  readonly name: string
  /** `warned`: it may be right, and a person should look. `skipped`: it could not be made. */
  readonly verdict: 'passed' | 'failed' | 'warned' | 'skipped'
  /** What was expected and what was found, or a measure. */
  readonly detail?: string
  readonly kind?: FaultKind
  readonly seconds?: number
}

/** The engine that was checked, and with what. */
export interface Subject {
  readonly engine: string
  readonly version: string
  readonly agreement: boolean
  /** Name of its package; left out for a file. */
  readonly package?: string
  readonly tolerates: readonly { readonly n: number; readonly crashed: number; readonly byzantine: number }[]
  readonly weft: string
  readonly node: string
  readonly seeds: number
}

/** What one process of this program tells another, a line of JSON each. */
export type CheckEvent =
  | { readonly type: 'subject'; readonly subject: Subject; readonly total: number }
  | { readonly type: 'begin'; readonly part: Part; readonly name: string }
  | { readonly type: 'finding'; readonly finding: Finding }
  | { readonly type: 'end' }

/** A report card. */
export interface Card {
  readonly subject: Subject
  readonly findings: readonly Finding[]
}

/** Exit codes of `peer engine check`, the worst first; those of `peer sim` and two more. 1 is every other error. */
const EXIT_CODES: readonly (readonly [FaultKind, number])[] = [
  ['safety', 3],
  ['stuck', 7],
  ['contract', 5],
  ['liveness', 4],
  ['package', 6],
]

export function exitCodeOf(findings: readonly Finding[]): number {
  return EXIT_CODES.find(([kind]) => findings.some((finding) => finding.kind === kind))?.[1] ?? 0
}

/** How many findings have a verdict. */
export function countOf(findings: readonly Finding[], verdict: Finding['verdict']): number {
  return findings.filter((finding) => finding.verdict === verdict).length
}
