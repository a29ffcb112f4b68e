import type { DevBuild, DevBuilder } from './build.js'
import { watchFile, watchTree } from './watch.js'

/** A build that orders transactions now. */
export interface SwappedIn {
  /** What the code calls itself. */
  readonly engine: string
  readonly epoch: bigint
  /** The first block that it may order. */
  readonly block: bigint
  readonly installMs: number
  /** From the first question to the validators until enough of them run it. */
  readonly swapMs: number
  /** Nothing was ordered any more: the network went back to this engine first. */
  readonly recoveredWith: string | undefined
}

/** What a swap is told of the loop, and tells it. */
export interface SwapInTalk {
  /** Something was saved since, so a build that does not get on need not be waited for. */
  readonly isOutdated: () => boolean
  /** From here on the network no longer has the engine that it had, whatever comes of the swap. */
  readonly onReplaced: () => void
}

/** Brings a build into the running network: installs it on every validator, and swaps it in. Ends early if the signal says so. */
export type SwapIn = (build: DevBuild, signal: AbortSignal, talk: SwapInTalk) => Promise<SwappedIn>

/** What came of a save. */
export type DevEvent =
  | { readonly type: 'swapped'; readonly build: DevBuild; readonly buildMs: number; readonly swapped: SwappedIn }
  /** The network has the engine that it had, and goes on with it if it can. */
  | { readonly type: 'failed'; readonly build: DevBuild | undefined; readonly error: unknown }
  /** The code is the one that runs. */
  | { readonly type: 'unchanged' }

/** What a loop works with. */
export interface DevLoopOptions {
  readonly builder: DevBuilder
  /** The directory of the engine's package.json, and the one whose files are the engine. */
  readonly home: string
  readonly source: string
  readonly swap: SwapIn
  readonly tell: (event: DevEvent) => void
}

/** Editors write a file in several steps. */
const QUIET_MS = 80

/**
 * Builds and swaps whenever something was saved: one at a time, and what was saved meanwhile together; a swap that does not get on gives way to it. Code that cannot be built, a swap that is refused and a save
 * that changes nothing leave the network with the engine that it has.
 */
export class DevLoop {
  readonly #options: DevLoopOptions
  readonly #ending = new AbortController()
  #stopWatching: readonly (() => void)[] = []
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #isWanted = false
  /** Of the code that the network runs; undefined: it is not known, or of no build. */
  #digest: string | undefined

  constructor(options: DevLoopOptions) {
    this.#options = options
  }

  /** Builds and swaps once, and then on every change. */
  async start(): Promise<void> {
    const changed = (): void => this.#changed()
    this.#stopWatching = [watchFile(this.#options.home, 'package.json', changed), watchTree(this.#options.source, changed)]
    await this.once()
  }

  /** Builds and swaps. Never rejects: what comes of it is told. */
  once(): Promise<void> {
    this.#isWanted = true
    this.#running ??= this.#work().finally(() => (this.#running = undefined))
    return this.#running
  }

  /** Ends, and gives up what is under way. */
  async stop(): Promise<void> {
    this.#ending.abort()
    for (const stop of this.#stopWatching) stop()
    clearTimeout(this.#timer)
    await this.#running
    await this.#options.builder.dispose()
  }

  #changed(): void {
    if (this.#ending.signal.aborted) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.once(), QUIET_MS)
  }

  async #work(): Promise<void> {
    const { signal } = this.#ending
    while (this.#isWanted && !signal.aborted) {
      this.#isWanted = false
      const event = await this.#turn(signal)
      if (!signal.aborted || event.type === 'swapped') this.#options.tell(event)
    }
  }

  async #turn(signal: AbortSignal): Promise<DevEvent> {
    const { builder, swap } = this.#options
    let build: DevBuild | undefined
    try {
      const began = performance.now()
      build = await builder.build()
      const buildMs = performance.now() - began
      if (build.codeDigest === this.#digest) return { type: 'unchanged' }
      signal.throwIfAborted()
      const swapped = await swap(build, signal, { isOutdated: () => this.#isWanted, onReplaced: () => (this.#digest = undefined) })
      this.#digest = build.codeDigest
      return { type: 'swapped', build, buildMs, swapped }
    } catch (error) {
      return { type: 'failed', build, error }
    }
  }
}
