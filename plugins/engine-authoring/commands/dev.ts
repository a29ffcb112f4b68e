import { dirname, join, resolve } from 'node:path'
import { Option, PeerCommand, type Settings } from '../../../kernel/index.js'
import { enginesKeys } from '../../engines/index.js'
import { interruptible, Interruption, isRecord, wholeNumber, writtenJson, wrong } from '../../terminal/index.js'
import type { DevEvent } from '../dev/loop.js'
import type { DevNetwork } from '../dev/network.js'
import { findEnginePackage } from '../engine-package.js'

const READY_SECONDS = 60
const MOST_VALIDATORS = 100

/** `peer engine dev` */
export class EngineDevCommand extends PeerCommand {
  static override paths = [['engine', 'dev']]
  static override usage = PeerCommand.Usage({
    category: 'Consensus engines',
    description: 'Run a network of validators in which saving a file swaps the new code in on all of them.',
    details:
      'Brings up a devnet, builds the package from its source (nothing has to be built or installed before), installs it on every validator and swaps it in; then does so again whenever something below its source, or its package.json, is saved. A line is printed for each: when it was swapped in and how long that took, or what is wrong; then the network goes on with what it has. Each build has a version of its own, such as 1.0.0-dev.3, and runs in a process of its own; the newest two are kept. Code that orders nothing any more, so that no swap can be ordered either, gives way to the engine that the devnet began with, by a recovery, and that one to the next build. vp0 listens where the default site does, so that other commands reach it without options. Types are not checked: `npm run typecheck`. Ctrl-C ends it and takes the network down; a network in `--dir` keeps its ledgers, and validators there that run already go on.',
    examples: [
      ['The package here', '$0 engine dev .'],
      ['Seven validators, elsewhere', '$0 engine dev ./my-engine --validators 7 --port 17050'],
      ['With ledgers that stay', '$0 engine dev ./my-engine --dir ./weft-devnet'],
      ['Does it run? Swaps it in and ends', '$0 engine dev ./my-engine --once'],
      ['For programs: a line of JSON for each build', '$0 engine dev ./my-engine --json'],
    ],
  })

  engine = Option.String({ required: false })
  validators = Option.String('--validators', { description: 'how many (default 4)' })
  place = Option.String('--dir', { description: 'directory of the devnet, which is used again if it is there (default: a temporary one)' })
  /** Its name in earlier releases. */
  formerPlace = Option.String('--directory', { hidden: true })
  port = Option.String('--port', { description: 'first port, as for peer devnet up (default 7050)' })
  options = Option.String('--options', { description: "the engine's options as a JSON object (default: what the site says)" })
  isOnce = Option.Boolean('--once', false, { description: 'build, swap in, and end; exit code 1 if that fails' })
  timeout = Option.String('--timeout', { description: `seconds to wait until the network is ready (default ${READY_SECONDS})` })

  private readonly interruption = new Interruption()

  override execute(): Promise<number> {
    return interruptible(this.interruption, () => super.execute())
  }

  protected async run(): Promise<number> {
    const { interruption } = this
    const code = await this.work(interruption.signal)
    return code === 0 && interruption.by !== undefined ? interruption.exitCodeOfEndless : code
  }

  private async work(signal: AbortSignal): Promise<number> {
    const home = findEnginePackage(this.engine ?? '.', this.context.cwd)
    const [{ sourceOf }, { openNetwork }] = await Promise.all([import('../dev/build.js'), import('../dev/network.js')])
    const source = join(home.directory, dirname(sourceOf(home.directory, home.manifest)))
    const options = this.options === undefined ? '' : jsonObject(this.options)
    const settings = await this.settings(enginesKeys)
    const began = performance.now()
    const place = this.place ?? this.formerPlace
    const network = await openNetwork({
      directory: place === undefined ? undefined : resolve(this.context.cwd, place),
      validators: this.number('--validators', this.validators, MOST_VALIDATORS),
      port: this.number('--port', this.port, 65_535),
      base: await this.base(),
      readyMs: 1000 * (this.number('--timeout', this.timeout, 86_400) ?? READY_SECONDS),
      signal,
      say: (text) => this.warn(text),
    })
    try {
      this.sayReady(network, performance.now() - began)
      return await this.develop(home, source, network, { settings, options, signal })
    } finally {
      await network.close()
    }
  }

  private async develop(
    home: ReturnType<typeof findEnginePackage>,
    source: string,
    { devnet, scratch }: DevNetwork,
    { settings, options, signal }: { readonly settings: Settings<typeof enginesKeys>; readonly options: string; readonly signal: AbortSignal },
  ): Promise<number> {
    const [{ createDevBuilder }, { DevLoop }, { createSwapIn }, { lastNumber }, { validatorAt }, { engineShelf }, { eventJson, eventText }] = await Promise.all(
      [
        import('../dev/build.js'),
        import('../dev/loop.js'),
        import('../dev/swap-in.js'),
        import('../dev/tidy.js'),
        import('../dev/validator.js'),
        import('../../engines/index.js'),
        import('../dev/event-text.js'),
      ],
    )
    const shelf = await engineShelf(
      devnet.peers.map(({ data }) => data),
      settings,
      (text) => this.warn(text),
    )
    const last = await lastNumber(shelf, String(home.manifest['name']))
    let isRunning = false
    const loop = new DevLoop({
      builder: await createDevBuilder(home.directory, join(scratch, 'builds'), last),
      home: home.directory,
      source,
      swap: createSwapIn({
        validators: devnet.peers.map((peer) => validatorAt(peer.id, devnet.client(peer))),
        shelf,
        options,
        fallback: devnet.plan.engine,
      }),
      tell: (event: DevEvent) => {
        isRunning = event.type !== 'failed'
        this.report(eventJson(event), `${eventText(event)}\n`)
      },
    })
    const ended = new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }))
    if (!this.isOnce) this.sayWatching(source)
    try {
      await Promise.race([this.isOnce ? loop.once() : loop.start(), ended])
      if (this.isOnce) return isRunning ? 0 : 1
      if (!signal.aborted) await ended
      return 0
    } finally {
      await loop.stop()
    }
  }

  private sayReady({ devnet }: DevNetwork, tookMs: number): void {
    const { directory, plan, peers } = devnet
    const seconds = Number((tookMs / 1000).toFixed(2))
    const configs = peers.map(({ id, address, config, log }) => ({ id, address, config, log }))
    this.report(
      { event: 'ready', directory, engine: plan.engine, seconds, peers: configs },
      `${peers.length} validator${peers.length === 1 ? '' : 's'} (${plan.engine}) can order transactions, after ${seconds} s; their logs and configuration: ${directory}\n`,
    )
  }

  private sayWatching(source: string): void {
    if (!this.json) this.context.stderr.write(`Watching ${source}; Ctrl-C ends it and takes the network down.\n`)
  }

  /** The site that the peers extend: the one found here. */
  private async base(): Promise<string> {
    const { ownPackage } = await import('../../loader/index.js')
    const { file } = await this.context.loadedSite()
    return file === undefined || file === ownPackage().entry('weft/peer.config') ? 'weft/peer.config' : file
  }

  private number(flag: string, written: string | undefined, most: number): number | undefined {
    return written === undefined ? undefined : wholeNumber(flag, written, 1, most)
  }
}

function jsonObject(text: string): string {
  const value = writtenJson('--options', text)
  if (isRecord(value)) return text
  throw wrong('--options', 'a JSON object', text)
}
