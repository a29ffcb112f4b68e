import { statfs } from 'node:fs/promises'
import type { PluginHost, Settings } from '../../kernel/index.js'
import { CONSENSUS, CONSENSUS_FIGURES } from '../consensus/index.js'
import { LEDGER_COUNTERS, validatorKeys } from '../ledger/index.js'
import { STORE_COUNTERS } from '../level/index.js'
import type { metricsKeys } from './keys.js'
import type { LoopWatch } from './loop-watch.js'
import type { CheckResult, Metrics } from './metrics.js'

const MEBIBYTE = 1024 * 1024

export interface CheckParts {
  readonly peer: PluginHost
  readonly settings: Settings<typeof metricsKeys>
  /** Where the peer stores. */
  readonly directory: string
  readonly loop: LoopWatch
}

/** Bytes that this user may still write where a directory lies. */
export async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory)
  return bavail * bsize
}

/** What of this peer is looked at for `/healthz` and `/readyz`. */
export function addChecks(metrics: Metrics, parts: CheckParts): void {
  metrics.check('disk', () => disk(parts))
  metrics.check('eventloop', () => eventLoop(parts))
  metrics.check('store', () => store(parts))
  metrics.check('engine', () => engine(parts))
  metrics.check('state', () => state(parts))
  metrics.check('submission', () => submission(parts), 'ready')
}

async function disk({ directory, settings }: CheckParts): Promise<CheckResult> {
  const least = settings['metrics.health.minFreeBytes']
  const free = await freeBytes(directory)
  const room = `${Math.floor(free / MEBIBYTE)} MiB free on the disk of ${directory}`
  if (free >= least) return good(room)
  return bad(`${room}, less than metrics.health.minFreeBytes (${Math.ceil(least / MEBIBYTE)} MiB): make room before the peer has to stop`)
}

function eventLoop({ loop, settings }: CheckParts): CheckResult {
  const seconds = loop.worstLately()
  const text = `the longest stall of the event loop within half a minute was ${seconds.toFixed(3)} s`
  return seconds * 1000 < settings['metrics.health.loopDelay'] ? good(text) : bad(text)
}

function store({ peer }: CheckParts): CheckResult {
  const counters = peer.find(STORE_COUNTERS)
  if (counters === undefined) return good('this site counts no writes')
  return counters.failure === undefined ? good('writes succeed') : bad(counters.failure)
}

/** Halted, or stuck: requests wait, and no block comes. */
function engine({ peer, settings }: CheckParts): CheckResult {
  const status = peer.find(CONSENSUS)?.status()
  if (status?.engine === undefined) return good(status === undefined ? 'this site has no consensus' : `no engine runs: ${status.halted ?? 'not yet'}`)
  const name = `${status.engine.name} ${status.engine.version}`
  if (status.halted !== undefined) return bad(`${name} is halted: ${status.halted}`)
  const waitingSinceMs = peer.find(CONSENSUS_FIGURES)?.counters.waitingSinceMs
  if (waitingSinceMs === undefined || status.pendingRequests === 0) return good(`${name} runs; no request waits`)
  const lastCommitMs = peer.find(LEDGER_COUNTERS)?.lastCommitMs ?? 0
  const stuckMs = peer.clock.elapsedMs() - Math.max(waitingSinceMs, lastCommitMs)
  const text = `${status.pendingRequests} requests wait; no block for ${(stuckMs / 1000).toFixed(1)} s`
  return stuckMs < settings['metrics.health.stuckAfter'] ? good(`${name} runs; ${text}`) : bad(`${name} is stuck: ${text}`)
}

function state({ peer }: CheckParts): CheckResult {
  const status = peer.find(CONSENSUS)?.status()
  if (status?.valid === false) return bad(`the state, at height ${status.height}, is behind the network: queries are refused until it has caught up`)
  return good(status === undefined ? 'nothing says that it is behind' : `height ${status.height}, not behind`)
}

/** Whether a transaction would be accepted now. */
function submission({ peer }: CheckParts): CheckResult {
  if (!peer.settings(validatorKeys)['peer.validator.enabled']) return good('this peer is no validator and orders nothing itself')
  const status = peer.find(CONSENSUS)?.status()
  if (status === undefined) return bad('this site has no consensus: nothing accepts transactions')
  if (status.halted !== undefined) return bad(`transactions are refused: ${status.halted}`)
  return good('transactions are accepted')
}

function good(reason: string): CheckResult {
  return { ok: true, reason }
}

function bad(reason: string): CheckResult {
  return { ok: false, reason }
}
