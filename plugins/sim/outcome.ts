/** What is told of one seed: one line of JSON between processes. */
export interface SeedReport {
  readonly seed: number
  readonly blocks: number
  readonly accepted: number
  readonly steps: number
  readonly virtualMs: number
  /** Of the engine, in a run with several. */
  readonly swaps?: { readonly prepared: number; readonly happened: number; readonly cancelled: number }
  readonly failure?: { readonly kind: 'safety' | 'liveness' | 'contract'; readonly statement: string }
}

/** Exit code of `peer sim --compare`: the engine asks for something else than the recorded one. */
export const EXIT_DIFFERS = 6

/** Exit codes of `peer sim`: the worst of what was found. 1 is every other error. */
export const EXIT_CODES = { safety: 3, contract: 5, liveness: 4 } as const

/** What many seeds gave. */
export class Tally {
  seeds = 0
  blocks = 0
  accepted = 0
  steps = 0
  virtualMs = 0
  readonly swaps = { prepared: 0, happened: 0, cancelled: 0 }
  readonly failures: (SeedReport & { readonly failure: NonNullable<SeedReport['failure']> })[] = []

  add(report: SeedReport): void {
    this.seeds += 1
    this.blocks += report.blocks
    this.accepted += report.accepted
    this.steps += report.steps
    this.virtualMs += report.virtualMs
    this.swaps.prepared += report.swaps?.prepared ?? 0
    this.swaps.happened += report.swaps?.happened ?? 0
    this.swaps.cancelled += report.swaps?.cancelled ?? 0
    const { failure } = report
    if (failure) this.failures.push({ ...report, failure })
  }

  /** The failure to look at first: the worst kind, of the lowest seed. */
  get first(): Tally['failures'][number] | undefined {
    for (const kind of ['safety', 'contract', 'liveness'] as const) {
      const [lowest] = this.failures.filter(({ failure }) => failure.kind === kind).sort((a, b) => a.seed - b.seed)
      if (lowest) return lowest
    }
    return undefined
  }

  get exitCode(): number {
    return this.first ? EXIT_CODES[this.first.failure.kind] : 0
  }
}

/** Reads what another process told; undefined for anything else. */
export function readReport(line: string): SeedReport | undefined {
  try {
    const value: SeedReport | null = JSON.parse(line)
    return typeof value === 'object' && value !== null && typeof value.seed === 'number' ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
