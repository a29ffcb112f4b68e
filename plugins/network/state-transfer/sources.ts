import { messageOf, PeerError } from '../../../kernel/index.js'
import type { Link } from '../link.js'

/** A neighbour answered with something that is not of the chain: it is not asked again in this transfer. */
export class LiarError extends PeerError {
  constructor(what: string) {
    super('ERR_SYNC_WRONG', what)
  }
}

/** A neighbour left out some of what was asked for: no lie, but as good as its end. */
export class LeftOutError extends PeerError {
  constructor(what: string) {
    super('ERR_SYNC_ENDED', what, { retryable: true })
  }
}

/** A neighbour does not have the deltas between its snapshot and the target any more: the target is too old for it. */
export class StaleError extends PeerError {
  constructor(what: string, cause: unknown) {
    super('ERR_SYNC_STALE', what, { cause, retryable: true })
  }
}

/** The transfer cannot succeed whoever is asked. */
export class FutileError extends PeerError {
  constructor(what: string, hint?: string) {
    super('ERR_SYNC_FUTILE', what, hint === undefined ? {} : { hint })
  }
}

export interface SourcesOptions {
  /** Who may be asked: the listed members; undefined: every validator. */
  readonly links: (ids: readonly string[] | undefined) => readonly Link[]
  readonly random: () => number
  readonly failed: (id: string, reason: string, isLiar: boolean) => void
  readonly isAborted: () => boolean
}

/** The neighbours that one transfer asks, one after the other; whoever lied is left out, whoever was silent may be asked again in a later round. */
export class Sources {
  private readonly liars = new Set<string>()
  private readonly reasons = new Map<string, string>()
  private stale = false

  constructor(private readonly options: SourcesOptions) {}

  /** Those that may be asked now, from a random one on. */
  current(ids: readonly string[] | undefined): readonly Link[] {
    const links = this.options.links(ids).filter(({ hello }) => hello !== undefined && !this.liars.has(hello.id))
    const from = Math.floor(this.options.random() * links.length)
    return [...links.slice(from), ...links.slice(0, from)]
  }

  /** Whether the last to be tried, without anybody being through, were asked for a target that is too old for one of them at least. */
  get isStale(): boolean {
    return this.stale
  }

  /** What went wrong with each, for whoever asked for the transfer. */
  get failures(): string {
    return [...this.reasons].map(([id, reason]) => `${id}: ${reason}`).join('; ')
  }

  /** Lets neighbours work until one is through; what they achieved before they failed is kept by `work`. True if one was. */
  async try(ids: readonly string[] | undefined, work: (link: Link) => Promise<void>): Promise<boolean> {
    this.stale = false
    for (const link of this.current(ids)) {
      if (this.options.isAborted()) return false
      const id = link.hello?.id ?? ''
      try {
        await work(link)
        return true
      } catch (error) {
        if (!isSourceFailure(error)) throw error
        this.stale ||= error instanceof StaleError
        this.note(id, messageOf(error), error instanceof LiarError)
      }
    }
    return false
  }

  private note(id: string, reason: string, isLiar: boolean): void {
    if (isLiar) this.liars.add(id)
    this.reasons.set(id, reason)
    this.options.failed(id, reason, isLiar)
  }
}

/** Whether another neighbour may do better. */
function isSourceFailure(error: unknown): boolean {
  return error instanceof PeerError && /^ERR_SYNC_(SILENT|ENDED|WRONG|STALE)$/.test(error.code)
}
