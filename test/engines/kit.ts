import { fileURLToPath } from 'node:url'
import { type Logger, systemClock } from '../../kernel/index.js'
import type { Effect, EngineEvent, EngineSeat, EngineStart, Head, Member, SeatMaker, SeatOptions } from '../../plugins/consensus/index.js'
import { bundleEngine } from '../../plugins/engines/packages/bundle.js'
import { entryOf, readManifest } from '../../plugins/engines/packages/manifest.js'
import { createEngineLauncher, type LaunchEngine } from '../../plugins/engines/process/launch.js'
import { defaultProcessLimits, type ProcessLimits } from '../../plugins/engines/process/limits.js'
import { RestartRows } from '../../plugins/engines/process/restart-rows.js'
import { inOwnProcess } from '../../plugins/engines/process/process-seat.js'
import { requestId } from '../../plugins/consensus/index.js'
import { silentLogger } from '../kit/silent-logger.js'

export const MEMBERS: readonly Member[] = [0, 1, 2, 3].map((index) => ({ index, id: `vp${index}` }))

export function packageFolder(name: string): string {
  return fileURLToPath(new URL(`./packages/${name}`, import.meta.url))
}

async function bundleOf(name: string): Promise<Uint8Array> {
  const folder = packageFolder(name)
  return bundleEngine(folder, await entryOf(folder, await readManifest(folder)))
}

export function headAt(height: bigint): Head {
  return { height, hash: new Uint8Array([Number(height), 7]), blob: new Uint8Array([9, Number(height)]) }
}

export function startAt(height: bigint, restored: ReadonlyMap<string, Uint8Array> = new Map()): EngineStart {
  return { epoch: 3n, head: headAt(height), metadata: undefined, restored, members: MEMBERS, executed: [], seed: 0x1234_5678_9abcn }
}

export function requestOf(text: string): { readonly id: string; readonly bytes: Uint8Array } {
  const bytes = new Uint8Array(Buffer.from(text))
  return { id: requestId(bytes), bytes }
}

/** What a host would see of a seat. */
export interface Witness {
  readonly options: SeatOptions
  /** Effects, one array a handler. */
  readonly carried: (readonly Effect[])[]
  readonly faults: string[]
  readonly losses: string[]
  readonly observed: EngineEvent[]
  /** Resolves when the condition holds; looked at whenever something happens. */
  until(holds: () => boolean): Promise<void>
}

export function witness(now: () => number = () => 1000): Witness {
  const waiting = new Set<() => void>()
  const look = (): void => {
    for (const wake of waiting) wake()
  }
  const seen = { carried: [] as (readonly Effect[])[], faults: [] as string[], losses: [] as string[], observed: [] as EngineEvent[] }
  return {
    ...seen,
    options: {
      self: 0,
      members: MEMBERS,
      deliveryWindow: 8,
      now,
      claimTimer: () => true,
      carryOut(effects) {
        seen.carried.push(effects)
        look()
      },
      fault(reason) {
        seen.faults.push(reason)
        look()
      },
      lost(reason) {
        seen.losses.push(reason)
        look()
      },
      resume: look,
      observe: (event) => void seen.observed.push(event),
      clock: systemClock,
      log: silentLogger,
    },
    until: (holds) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!holds()) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
      }),
  }
}

/** Resolves when the engine of a seat has been stopped. Timers that it sets without delay run out at once. */
export async function stopped(seat: EngineSeat, seen: Witness): Promise<void> {
  await seen.until(() => {
    const last = seen.carried.at(-1)
    if (last?.some(({ type }) => type === 'timer') === true) {
      seen.carried.length = 0
      setImmediate(() => seat.post({ type: 'timer', name: 'again', generation: 1 }))
    }
    return seen.faults.length > 0
  })
}

const bundles = new Map<string, Promise<Uint8Array>>()
const launchers = new Map<string, LaunchEngine>()

/** Seats of a package in processes of their own. */
export async function isolated(name: string, raw: unknown, limits: Partial<ProcessLimits> = {}, log: Logger = silentLogger): Promise<SeatMaker> {
  const all: ProcessLimits = { ...defaultProcessLimits, sandbox: 'none', ...limits }
  const key = `${all.sandbox} ${all.memoryBytes}`
  const launch = launchers.get(key) ?? createEngineLauncher(all, log, systemClock)
  const bundle = bundles.get(name) ?? bundleOf(name)
  launchers.set(key, launch)
  bundles.set(name, bundle)
  return inOwnProcess(raw, { launch: async () => launch(`engine ${name}`, await bundle), limits: all, rows: new RestartRows() })
}
