/** Upper bounds that suit writes and blocks, in seconds. */
export const DURATION_BOUNDS_SECONDS: readonly number[] = Object.freeze([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])

/** How long something took, counted in classes: plain numbers, so that counting costs next to nothing and whoever wants them reads them. */
export class Durations {
  /** Of each class, and of what took longer than the last bound. */
  readonly counts: number[]
  count = 0
  sumSeconds = 0

  constructor(readonly boundsSeconds = DURATION_BOUNDS_SECONDS) {
    this.counts = Array.from({ length: boundsSeconds.length + 1 }, () => 0)
  }

  add(elapsedMs: number): void {
    const seconds = elapsedMs / 1000
    const { boundsSeconds, counts } = this
    let at = 0
    while (at < boundsSeconds.length && seconds > (boundsSeconds[at] ?? 0)) at++
    counts[at] = (counts[at] ?? 0) + 1
    this.count++
    this.sumSeconds += seconds
  }
}
