import type { Clock } from '../../kernel/index.js'

/** Milliseconds since 1970 that never go back: the wall clock at the start, then the monotonic one. */
export function logicalTime(clock: Clock): () => number {
  const { seconds, nanos } = clock.now()
  const offsetMs = Number(seconds) * 1000 + nanos / 1e6 - clock.elapsedMs()
  return () => Math.floor(offsetMs + clock.elapsedMs())
}

/** Whether work ends before the time is over. Its failure is thrown. */
export async function within(clock: Clock, timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
  let cancel = (): void => undefined
  const late = new Promise<boolean>((resolve) => {
    cancel = clock.setTimer(timeoutMs, () => resolve(false))
  })
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    cancel()
  }
}
