import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDevnet, type Devnet } from '../devnet/index.js'
import { Interruption } from '../terminal/index.js'
import { freePorts, type Measured, timed } from './network.js'

const STARTED_MS = 120_000

/** What a network that is measured is made of. */
export interface NetworkPlan {
  readonly validators: number
  readonly engine: string
  readonly set: Readonly<Record<string, string>>
  /** Module or file of the site that it extends. */
  readonly base: string
}

/** The temporary directory of a bench, with all that runs in it. */
export class Workplace {
  readonly #endings: (() => Promise<unknown>)[] = []

  private constructor(readonly directory: string) {}

  /**
   * Does some work in a place of its own. However it ends, by a signal too, its processes are ended and its files deleted, unless they are to be kept. Returns the
   * exit code of the work; after a signal the program ends with that of the signal, since what was under way has nothing to work with.
   */
  static async use(
    { keep, say }: { readonly keep: boolean; readonly say: (text: string) => void },
    work: (place: Workplace) => Promise<number>,
  ): Promise<number> {
    const place = new Workplace(mkdtempSync(join(tmpdir(), 'weft-bench-')))
    const interruption = new Interruption().listen()
    const interrupted = new Promise<undefined>((resolve) => interruption.signal.addEventListener('abort', () => resolve(undefined)))
    const working = work(place)
    try {
      const code = await Promise.race([working, interrupted])
      if (code !== undefined) return code
      say('interrupted: the network is ended')
    } finally {
      await place.end()
      interruption.close()
      if (keep) say(`kept: ${place.directory}`)
      else rmSync(place.directory, { recursive: true, force: true })
    }
    return process.exit(interruption.exitCode)
  }

  /** Starts a network on free ports, in a directory of this name. */
  async network(name: string, { base, ...plan }: NetworkPlan): Promise<Measured> {
    const port = await freePorts(plan.validators * 10)
    const set = { 'logging.node': 'warning', ...plan.set }
    const devnet = await createDevnet(join(this.directory, name, 'devnet'), { ...plan, tls: false, port, set }, base)
    this.onEnd(() => ended(devnet))
    const meshMs = await timed(async () => devnet.ready(await devnet.start(devnet.peers), STARTED_MS))
    return { devnet, meshMs }
  }

  /** Something to end before what was there before it. */
  onEnd(ending: () => Promise<unknown>): void {
    this.#endings.push(ending)
  }

  /** Ends all that runs here, the last first; the place can be used again. */
  async end(): Promise<void> {
    for (let ending = this.#endings.pop(); ending; ending = this.#endings.pop()) await ending()
  }
}

async function ended(devnet: Devnet): Promise<void> {
  await devnet.stop(devnet.peers)
  devnet.close()
}
