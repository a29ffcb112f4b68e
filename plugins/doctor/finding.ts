/** What a check found about one thing. */
export interface Finding {
  /** `warning`: it runs, but not as it should; `failure`: it does not, or will not for long. */
  readonly level: 'ok' | 'warning' | 'failure'
  /** What was looked at and found, in one line. */
  readonly found: string
  /** What to do; for everything that is not ok. */
  readonly todo?: string
  /** The values that `found` speaks of, for programs. */
  readonly details?: Readonly<Record<string, unknown>>
}

/** The findings of one check; `skipped` says why it could not be made. */
export interface Examined {
  readonly check: string
  readonly findings: readonly Finding[]
  readonly skipped?: string
}
