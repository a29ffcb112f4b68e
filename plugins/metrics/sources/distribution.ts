import type { Durations } from '../../level/index.js'
import type { Distribution, Labels } from '../metrics.js'

/** Counted durations as a histogram in seconds. */
export function distributionOf({ boundsSeconds, counts, sumSeconds }: Durations, labels: Labels = {}): Distribution {
  return { labels, bounds: boundsSeconds, counts, sum: sumSeconds }
}
