import { watch } from 'node:fs'
import { messageOf } from '../../../kernel/index.js'
import type { DevBuild, DevBuilder } from './build.js'

/** Brings a build into the running network: installs it on every validator, and swaps it in. */
export type SwapIn = (build: DevBuild) => Promise<void>

/** What a loop works with. */
export interface DevLoopOptions {
  readonly builder: DevBuilder
  /** Directories whose files are the engine. */
  readonly directories: readonly string[]
  readonly swap: SwapIn
  /** For the person who looks on. */
  readonly say: (text: string) => void
}

/** Editors write a file in several steps. */
const QUIET_MS = 80

/**
 * Builds and swaps whenever something was saved: one at a time, and what was saved meanwhile together. Code that cannot be built, a swap that is refused and a save
 * that changes nothing leave the network with the engine that it has.
 */
export class DevLoop {
  readonly #options: DevLoopOptions
  #stopWatching: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #isWanted = false
  #isOver = false
  #digest: string | undefined

  constructor(options: DevLoopOptions) {
    this.#options = options
  }

  /** Builds and swaps once, and then on every change. */
  async start(): Promise<void> {
    const watchers = this.#options.directories.map((directory) => watch(directory, { recursive: true }, () => this.#changed()))
    this.#stopWatching = () => watchers.forEach((watcher) => watcher.close())
    await this.#run()
  }

  /** Ends after what is under way. */
  async stop(): Promise<void> {
    this.#isOver = true
    this.#stopWatching?.()
    clearTimeout(this.#timer)
    await this.#running
    await this.#options.builder.dispose()
  }

  #changed(): void {
    if (this.#isOver) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#run(), QUIET_MS)
  }

  /** Never rejects. */
  #run(): Promise<void> {
    this.#isWanted = true
    this.#running ??= this.#work().finally(() => (this.#running = undefined))
    return this.#running
  }

  async #work(): Promise<void> {
    const { builder, swap, say } = this.#options
    while (this.#isWanted && !this.#isOver) {
      this.#isWanted = false
      try {
        const build = await builder.build()
        if (build.codeDigest === this.#digest) continue
        await swap(build)
        this.#digest = build.codeDigest
        say(`${build.name} ${build.version} runs`)
      } catch (error) {
        say(messageOf(error))
      }
    }
  }
}
