import type { Answer } from './model.js'

/** What two answers of one peer say of the time between them; undefined: not known. */
export interface Rates {
  /** Transactions executed for blocks, a second. */
  readonly transactions: number | undefined
  /** Mean time from the acceptance of a transaction at this peer to its outcome, in milliseconds. */
  readonly latencyMs: number | undefined
  /** Of one processor: 1 is all of it. */
  readonly cpu: number | undefined
  readonly refused: number | undefined
}

const UNKNOWN: Rates = { transactions: undefined, latencyMs: undefined, cpu: undefined, refused: undefined }

/** Compares two answers. A peer that was started anew in between has no rates yet. */
export function ratesOf(before: Answer | undefined, last: Answer | undefined): Rates {
  const from = before?.vitals
  const to = last?.vitals
  if (!from || !to || to.upMicros <= from.upMicros) return UNKNOWN
  const seconds = Number(to.upMicros - from.upMicros) / 1e6
  const grown = (name: 'succeeded' | 'failed' | 'cpuMicros' | 'ended' | 'waitedMicros' | 'refused'): number => Number(to[name] - from[name])
  const ended = grown('ended')
  return {
    transactions: (grown('succeeded') + grown('failed')) / seconds,
    latencyMs: ended > 0 ? grown('waitedMicros') / ended / 1000 : undefined,
    cpu: grown('cpuMicros') / 1e6 / seconds,
    refused: grown('refused') / seconds,
  }
}
