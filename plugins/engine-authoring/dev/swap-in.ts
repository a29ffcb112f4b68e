import { setTimeout as sleep } from 'node:timers/promises'
import { PeerError } from '../../../kernel/index.js'
import type { EpochRecord, SuccessionReport, SwapPlanMessage } from '../../../proto/index.js'
import { candidateId, faultsOf, hasStarted } from '../../consensus/index.js'
import type { EngineShelf } from '../../engines/index.js'
import type { DevBuild } from './build.js'
import type { SwapIn, SwapInTalk } from './loop.js'
import { tidy } from './tidy.js'
import type { Validator } from './validator.js'

/** How long each step may take, in milliseconds. */
export interface SwapInLimits {
  /** For every validator to load the code and answer. */
  readonly plan: number
  /** For the running engine to order a call; then it is taken to be stuck. */
  readonly order: number
  /** For the trial. */
  readonly trial: number
  /** For the trial of code that was saved again since: then it gives way to what was saved. */
  readonly outdated: number
  /** For the new engine to order its first block. */
  readonly start: number
}

export const DEFAULT_LIMITS: SwapInLimits = { plan: 30_000, order: 15_000, trial: 30_000, outdated: 3000, start: 20_000 }

export interface SwapInParts {
  /** All of the network, in its order. */
  readonly validators: readonly Validator[]
  readonly shelf: EngineShelf
  /** JSON; empty: what the site says. */
  readonly options: string
  /** What the network goes back to when the code that runs orders nothing any more. */
  readonly fallback: string
  readonly limits?: SwapInLimits
}

const LOOK_EVERY_MS = 50

/** A swap that was prepared. */
interface Proposed {
  /** How many have to be ready. */
  readonly needed: number
  readonly candidate: Uint8Array
  readonly begunMs: number
}

interface Seen {
  readonly validator: Validator
  readonly report: SuccessionReport
  readonly record: EpochRecord
}

type Wanted = Pick<DevBuild, 'version'> & { readonly engine: string }

/**
 * Installs each build on every validator and swaps it in, with trial and all, through one of them. Where the code that runs orders nothing any more, and so no swap
 * either, the network is brought back to `fallback` first, as operators would. Rejects with why the build does not run; the network then has what it had.
 */
export function createSwapIn(parts: SwapInParts): SwapIn {
  return async (build, signal, talk) => {
    const began = performance.now()
    const { name: engine } = await parts.shelf.install(build.file)
    const installMs = performance.now() - began
    const swapping = new Swap(parts, { engine, version: build.version }, signal, talk).run()
    try {
      const { record, recoveredWith } = await swapping
      return { engine, epoch: record.epoch, block: record.activation + 1n, installMs, swapMs: performance.now() - began - installMs, recoveredWith }
    } finally {
      const running = signal.aborted ? [] : (await look(parts.validators, signal)).map(({ record }) => record.version)
      if (running.length > 0) await tidy(parts.shelf, build.name, running)
    }
  }
}

/** One build's way in. */
class Swap {
  private readonly limits: SwapInLimits

  constructor(
    private readonly parts: SwapInParts,
    private readonly wanted: Wanted,
    private readonly signal: AbortSignal,
    private readonly talk: SwapInTalk,
  ) {
    this.limits = parts.limits ?? DEFAULT_LIMITS
  }

  async run(): Promise<{ readonly record: EpochRecord; readonly recoveredWith: string | undefined }> {
    const seen = await this.look()
    const door = isStuck(seen, this.parts.validators.length) ? undefined : doorOf(seen)
    const record = door && (await this.swapped(door))
    if (record) return { record, recoveredWith: undefined }
    const recovered = await this.recovered()
    const again = await this.swapped(recovered)
    if (again) return { record: again, recoveredWith: this.parts.fallback }
    throw stuck(`${this.parts.fallback}, after a recovery, ordered nothing within ${this.limits.order / 1000} s`)
  }

  /** Undefined: the running engine orders nothing. */
  private async swapped(door: Seen): Promise<EpochRecord | undefined> {
    if (door.report.candidate && !(await door.validator.cancel(this.limits.order, this.signal))) return undefined
    const { proposal, needed } = await this.planned(door.validator)
    const reply = await door.validator.propose(proposal, this.limits.order, this.signal)
    if (!reply) return undefined
    if (reply.error !== '') throw refused(reply.error)
    return this.followed(door, { needed, candidate: candidateId(proposal), begunMs: performance.now() })
  }

  /** Asks again while validators that are there still load the code, or cross into the epoch. */
  private async planned(door: Validator): Promise<SwapPlanMessage> {
    const deadline = performance.now() + this.limits.plan
    for (;;) {
      const plan = await door.plan({ ...this.wanted, options: this.parts.options, deadlineMs: this.limits.trial }, this.signal)
      const seen = await this.look()
      const epoch = doorOf(seen)?.record.epoch ?? 0n
      const isThere = (id: string): boolean => seen.some(({ validator }) => validator.id === id)
      const late = plan.rows.filter(({ id, answered, epoch: its }) => isThere(id) && (!answered || its < epoch))
      if (late.length === 0 || this.talk.isOutdated() || performance.now() > deadline) {
        if (plan.objection !== '') throw refused(plan.objection)
        const willing = plan.rows.filter(({ answered }) => answered).length
        if (willing >= plan.needed) return plan
        const silent = plan.rows.filter(({ answered }) => !answered).map(({ id }) => id)
        throw refused(`it needs ${plan.needed} validators, and ${silent.join(', ')} ${silent.length === 1 ? 'does' : 'do'} not answer`)
      }
      await sleep(LOOK_EVERY_MS, undefined, { signal: this.signal })
    }
  }

  private async followed({ validator, record: { epoch: from } }: Seen, proposed: Proposed): Promise<EpochRecord> {
    let decidedAt: number | undefined
    for (;;) {
      const seen = await this.look()
      const here = seen.find((one) => one.validator === validator)
      if (here?.record.epoch !== from) this.talk.onReplaced()
      if (!here) throw new PeerError('ERR_DEV_NETWORK', `${validator.id}, through which the swap was proposed, does not answer any more`)
      const { record, report } = here
      if (record.epoch > from && hasStarted(record)) return record
      if (record.epoch === from) await this.refusedOnTrial(here, seen, proposed)
      else decidedAt ??= performance.now()
      if (decidedAt !== undefined && performance.now() - decidedAt > this.limits.start) {
        throw stuck(
          report.halted === ''
            ? `it was swapped in after block ${record.activation}, and ordered nothing within ${this.limits.start / 1000} s`
            : `it was swapped in after block ${record.activation}: ${report.halted}`,
        )
      }
      await sleep(LOOK_EVERY_MS, undefined, { signal: this.signal })
    }
  }

  /** Throws as soon as too few validators are left for the swap to be decided, or it keeps newer code waiting. */
  private async refusedOnTrial({ validator, report }: Seen, seen: readonly Seen[], { needed, candidate, begunMs }: Proposed): Promise<void> {
    const reasons = reasonsIn(seen, candidate)
    if (!report.candidate) {
      if (reasons.length > 0) throw refused(sameReason(reasons))
      const tookMs = performance.now() - begunMs
      const isLate = tookMs >= this.limits.trial
      throw refused(
        isLate
          ? `its trial did not end within ${this.limits.trial / 1000} s: it ordered too little`
          : `its trial was called off after ${(tookMs / 1000).toFixed(1)} s, and no validator says why: look into their logs, peer devnet logs`,
      )
    }
    const isOutdated = this.talk.isOutdated() && performance.now() - begunMs > this.limits.outdated
    if (this.parts.validators.length - reasons.length >= needed && !isOutdated) return
    await validator.cancel(this.limits.order, this.signal)
    if (reasons.length > 0) throw refused(sameReason(reasons))
    throw refused(`its trial had not ended after ${((performance.now() - begunMs) / 1000).toFixed(1)} s, and gives way to what was saved since`)
  }

  private async recovered(): Promise<Seen> {
    const { validators, fallback } = this.parts
    const before = await this.look()
    const away = validators.filter((validator) => before.every((one) => one.validator !== validator)).map(({ id }) => id)
    if (away.length > 0)
      throw stuck(`the network orders nothing, and ${away.join(', ')}, without which it cannot recover, ${away.length === 1 ? 'does' : 'do'} not run`)
    const from = before.reduce((highest, { record }) => (record.epoch > highest ? record.epoch : highest), 0n)
    this.talk.onReplaced()
    await Promise.all(validators.map((validator) => validator.recover(fallback, this.signal)))
    const deadline = performance.now() + this.limits.start + this.limits.order
    for (;;) {
      const seen = await this.look()
      const door = doorOf(seen)
      if (door && seen.length === validators.length && seen.every(({ record }) => record.epoch > from && hasStarted(record))) return door
      if (performance.now() > deadline) throw stuck(`the network orders nothing, and could not be brought back to ${fallback}`)
      await sleep(LOOK_EVERY_MS, undefined, { signal: this.signal })
    }
  }

  private look(): Promise<readonly Seen[]> {
    return look(this.parts.validators, this.signal)
  }
}

/** What every validator says against a candidate, to whichever of them it said it; with its name before it, in the order of the names. */
function reasonsIn(seen: readonly Seen[], candidate: Uint8Array): string[] {
  const reasons = new Map<string, string>()
  for (const { validator, report, record } of seen) {
    for (const { member, reason, ...of } of report.objections) {
      if (Buffer.compare(of.candidate, candidate) === 0) reasons.set(record.members[member] ?? String(member), reason)
    }
    if (report.refusal !== '') reasons.set(validator.id, report.refusal)
  }
  return [...reasons].sort(([left], [right]) => (left < right ? -1 : 1)).map(([id, reason]) => `${id}: ${reason}`)
}

/** The validators that answer. */
async function look(validators: readonly Validator[], signal: AbortSignal): Promise<readonly Seen[]> {
  signal.throwIfAborted()
  const found = await Promise.all(
    validators.map(async (validator): Promise<readonly Seen[]> => {
      const report = await validator.succession(signal)
      return report?.record ? [{ validator, report, record: report.record }] : []
    }),
  )
  return found.flat()
}

/** The first whose engine runs. */
function doorOf(seen: readonly Seen[]): Seen | undefined {
  return seen.find(({ report }) => report.halted === '') ?? seen[0]
}

/** More validators are halted or away than its engine bears, or it has not begun. */
function isStuck(seen: readonly Seen[], count: number): boolean {
  const [first] = seen
  if (!first) throw new PeerError('ERR_DEV_NETWORK', 'no validator of the network answers', { hint: 'look into their logs: peer devnet logs' })
  const works = seen.filter(({ report }) => report.halted === '').length
  return !hasStarted(first.record) || count - works > faultsOf(first.record)
}

function refused(reason: string): PeerError {
  return new PeerError('ERR_SWAP_REFUSED', `the swap is refused: ${reason}`)
}

function stuck(reason: string): PeerError {
  return new PeerError('ERR_ENGINE_STUCK', reason)
}

/** Validators mostly fail alike. */
function sameReason(reasons: readonly string[]): string {
  const words = new Set(reasons.map((reason) => reason.slice(reason.indexOf(': ') + 2)))
  const [only] = words
  return words.size === 1 && only !== undefined && reasons.length > 1 ? `${reasons.length} validators: ${only}` : reasons.join('; ')
}
