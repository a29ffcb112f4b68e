import { PeerError } from '../../../kernel/index.js'
import type { EngineEvent, EngineSeat, EngineStart, SeatMaker, SeatOptions } from '../../consensus/index.js'
import type { ContainedProcess } from '../../sandbox/index.js'
import { EngineProcess } from './engine-process.js'
import type { ProcessLimits } from './limits.js'
import type { RestartRows } from './restart-rows.js'

export interface ProcessSeatOptions {
  readonly launch: () => Promise<ContainedProcess>
  readonly limits: ProcessLimits
  /** Shared by all seats of this engine's code on this peer. */
  readonly rows: RestartRows
  /** Told of each start, before it. */
  readonly begins?: (start: EngineStart) => void
}

/**
 * Seats of an engine in a process of its own. `raw` are its options, unparsed.
 *
 * @throws PeerError ERR_ENGINE_OPTIONS if they are no JSON
 */
export function inOwnProcess(raw: unknown, options: ProcessSeatOptions): SeatMaker {
  const json = optionsJson(raw)
  return (seat) => new ProcessSeat(json, options, seat)
}

/** Options as JSON. Throws ERR_ENGINE_OPTIONS. */
export function optionsJson(raw: unknown): string {
  try {
    return JSON.stringify(raw ?? {})
  } catch (cause) {
    throw new PeerError('ERR_ENGINE_OPTIONS', 'the options of an engine in a process of its own are plain JSON', { cause })
  }
}

class ProcessSeat implements EngineSeat {
  private life: EngineProcess | undefined
  private begunAtMs = 0
  private cancelBackOff: (() => void) | undefined
  /** Lives that have ended and whose processes may not be gone. */
  private readonly going = new Set<Promise<void>>()

  constructor(
    private readonly json: string,
    private readonly options: ProcessSeatOptions,
    private readonly seat: SeatOptions,
  ) {}

  get isRunning(): boolean {
    return this.life !== undefined
  }

  get isCongested(): boolean {
    return this.life?.isCongested ?? false
  }

  get awaited(): string | undefined {
    return this.life?.awaited
  }

  begin(start: EngineStart): boolean {
    this.end()
    const { launch, limits, begins } = this.options
    const { seat } = this
    const { epoch } = start
    begins?.(start)
    this.begunAtMs = seat.clock.elapsedMs()
    // What lives as long as the process must not hold the start, which has all records.
    const life: EngineProcess = new EngineProcess(
      {
        launch,
        limits,
        seat,
        options: this.json,
        broke: (reason) => this.over(life, () => seat.fault(reason)),
        died: (reason) => this.over(life, () => this.died(reason, epoch)),
      },
      start,
    )
    this.life = life
    return true
  }

  post(event: EngineEvent): void {
    this.life?.post(event)
  }

  end(): void {
    this.cancelBackOff?.()
    this.cancelBackOff = undefined
    const { life } = this
    if (life === undefined) return
    this.life = undefined
    life.end('it is stopped')
    this.track(life.gone())
  }

  async dispose(): Promise<void> {
    const { life } = this
    this.life = undefined
    this.end()
    if (life) this.track(life.dispose())
    await Promise.all(this.going)
  }

  private over(life: EngineProcess, then: () => void): void {
    this.track(life.gone())
    if (this.life !== life) return
    this.life = undefined
    then()
  }

  /** A death is answered by another start, later each time; too many in a row are a fault. */
  private died(reason: string, epoch: bigint): void {
    const { limits, rows } = this.options
    const { clock, log, fault, lost } = this.seat
    if (clock.elapsedMs() - this.begunAtMs >= Math.max(limits.healthyAfterMs, 2 * limits.maxHandlerMs)) rows.over(epoch)
    const before = rows.ends(epoch)
    if (before >= limits.maxRestarts) {
      rows.over(epoch)
      return fault(`its process ended ${before + 1} times in a row, at last because ${reason}`)
    }
    const waitMs = limits.firstBackOffMs * 4 ** before
    rows.ended(epoch)
    log.error(`the process of the consensus engine is gone: ${reason}`, { restart: before + 1, of: limits.maxRestarts, waitMs })
    this.cancelBackOff = clock.setTimer(waitMs, () => {
      this.cancelBackOff = undefined
      lost(reason)
    })
  }

  private track(gone: Promise<void>): void {
    const tracked: Promise<void> = gone.finally(() => void this.going.delete(tracked))
    this.going.add(tracked)
  }
}
