/** A stable, documented error code: `ERR_<AREA>_<WHAT>`. */
export type ErrorCode = `ERR_${string}`

/** What a {@link PeerError} carries besides its message. */
export interface ErrorFacts {
  /** The values that the message speaks of, for programs. */
  readonly details?: Readonly<Record<string, unknown>>
  /** What the reader can do about it; printed after the message. */
  readonly hint?: string
  readonly cause?: unknown
  /** True if the same call may succeed later without any change by the caller. */
  readonly retryable?: boolean
  /** gRPC status code for clients (default 2, UNKNOWN, as v0.6 answers: spec/wire.md §1). */
  readonly grpcStatus?: number
}

/**
 * Every operating error of Weft. The message says what was expected and what was found; `hint` says what to do.
 *
 * @example
 * throw new PeerError('ERR_STORE_LOCKED', `the store in ${directory} is used by process ${pid}`, { hint: 'stop that peer first' })
 */
export class PeerError extends Error {
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, unknown>>
  readonly hint: string | undefined
  readonly retryable: boolean
  readonly grpcStatus: number

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.name = 'PeerError'
    this.code = code
    this.details = facts.details ?? {}
    this.hint = facts.hint
    this.retryable = facts.retryable ?? false
    this.grpcStatus = facts.grpcStatus ?? 2
  }
}

/** A plugin failed in a hook; names the plugin, the hook and the reason. */
export class PluginError extends PeerError {
  constructor(
    readonly plugin: string,
    readonly hook: string,
    cause: unknown,
  ) {
    super('ERR_PLUGIN_FAILED', `plugin ${plugin} failed in hook ${hook}: ${messageOf(cause)}`, {
      cause,
      details: { plugin, hook },
      ...(cause instanceof PeerError && cause.hint !== undefined ? { hint: cause.hint } : {}),
    })
    this.name = 'PluginError'
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/** Ends with a `ERR_BROKEN_INVARIANT` if `condition` is false; stays on in production. `why` states what must hold. */
export function assert(condition: unknown, why: string): asserts condition {
  if (!condition) throw new PeerError('ERR_BROKEN_INVARIANT', `broken invariant: ${why}`)
}
