import type { EngineHost, MemberIndex } from '../engine/engine.js'

/** Bounds what each member can have an engine send by asking for it: a few bytes may ask for megabytes. */
export interface MemberBudget {
  /** Whether an answer of so many bytes may be sent to a member now; then it counts. */
  take(member: MemberIndex, bytes: number): boolean
}

/** What a member gets at once, and then by and by. */
export interface MemberBudgetLimits {
  /** Default 16 MiB: with what all members ask for at once, however many, a process of an engine stays within what it may say in a second. The answer that goes beyond it is the last one, of whatever size. */
  readonly burstBytes?: number
  /** Default 8 MiB. */
  readonly bytesPerSecond?: number
}

/** A budget for each member, by the host's time: an engine stays deterministic. */
export function createMemberBudget(host: Pick<EngineHost, 'now'>, limits: MemberBudgetLimits = {}): MemberBudget {
  const { burstBytes = 16 * 1024 * 1024, bytesPerSecond = 8 * 1024 * 1024 } = limits
  const spent = new Map<MemberIndex, { readonly bytes: number; readonly at: number }>()
  return {
    take(member, bytes) {
      const { now } = host
      const before = spent.get(member)
      // A clock that was set back gives nothing, and takes nothing.
      const left = before ? Math.max(0, before.bytes - (Math.max(0, now - before.at) * bytesPerSecond) / 1000) : 0
      const isGranted = left < burstBytes
      spent.set(member, { bytes: isGranted ? left + bytes : left, at: now })
      return isGranted
    },
  }
}
