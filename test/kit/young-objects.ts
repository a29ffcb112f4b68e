import { getHeapSpaceStatistics } from 'node:v8'

/** Less is not worth a collection; as much again fits before Node collects by itself, in processes with room for young objects. */
const WORTH_BYTES = 24 * 1024 * 1024

/**
 * Between two runs nothing is alive, so that young objects are collected without copying any; in the middle of one a whole simulated network is copied, and then kept for long.
 * Does nothing unless Node runs with --expose-gc.
 */
export function collectBetweenRuns(): void {
  const { gc } = globalThis
  if (gc === undefined) return
  const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')
  if (young !== undefined && young.space_used_size > WORTH_BYTES) gc({ type: 'minor' })
}
