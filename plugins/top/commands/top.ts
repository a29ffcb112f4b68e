import { Command } from 'clipanion'
import { WriteStream } from 'node:tty'
import { Option, PeerCommand, PeerError, peerKeys } from '../../../kernel/index.js'
import { tlsKeys } from '../../tls/index.js'
import { Asker } from '../ask.js'
import { isWell, plainFrame } from '../frame.js'
import { runInTerminal } from '../interactive.js'
import type { Picture } from '../model.js'
import { sampleOf } from '../sample.js'
import { streamSamples } from '../stream.js'
import { findTargets, type Found } from '../targets.js'
import { Watch } from '../watch.js'

const DEFAULT_INTERVAL_MS = 1000
/** For two answers of a peer that is slow. */
const SETTLE_MS = 10_000
const LOOK_EVERY_MS = 20
const DEFAULT_COLUMNS = 120

/** `peer top`: a network in a terminal. */
export class TopCommand extends PeerCommand {
  static override paths = [['top']]
  static override usage = Command.Usage({
    category: 'network specific commands.',
    description: 'Watch a network: validators, engines, rates, latency, queues, links.',
    details:
      'Watches the peers of --peers; else those of the devnet here or in a parent directory; else the peer at `peer.address` and every validator that peers are linked to. Asks each one every --interval seconds, and goes on asking those that do not answer. Rates are of the last second; latency is the mean time from the acceptance of a transaction at that peer to its outcome; in and out are messages that wait for the engine and, of the engine, for the disk. q ends it. With --once, or where stdout is no terminal, it prints one picture; exit code 1 if a peer does not answer, or orders nothing.',
    examples: [
      ['The devnet here, or the network of the local peer', 'peer top'],
      ['These peers', 'peer top --peers 10.0.0.1:7051,10.0.0.2:7051'],
      ['One picture', 'peer top --once'],
      ['One sample, or one a line every two seconds, for programs', 'peer top --json --interval 2'],
    ],
  })

  peers = Option.String('--peers', { description: 'addresses of peers, with commas between them' })
  directory = Option.String('--dir', { description: 'directory of a devnet' })
  interval = Option.String('--interval', { description: 'seconds between two looks, from 0.1 on (default 1); with --json: go on until it is ended' })
  once = Option.Boolean('--once', false, { description: 'print one picture and end' })

  protected async run(): Promise<number> {
    const intervalMs = this.intervalMs()
    const found = await this.found()
    const asker = new Asker(found.tls)
    const watch = new Watch({ title: found.title, targets: found.targets, follows: found.follows, intervalMs, ask: (target) => asker.ask(target) })
    const ended = new AbortController()
    watch.start(ended.signal)
    try {
      const { stdout } = this.context
      const isTerminal = stdout instanceof WriteStream
      if (this.json && this.interval !== undefined) return await streamSamples({ watch, stdout, intervalMs })
      if (isTerminal && !this.once && !this.json)
        return await runInTerminal({ watch, terminal: stdout, stdin: this.context.stdin, env: this.context.env, intervalMs })
      const picture = await settled(watch)
      this.report(sampleOf(picture), plainFrame(picture, isTerminal ? stdout.columns : DEFAULT_COLUMNS))
      return isWell(picture) ? 0 : 1
    } finally {
      ended.abort()
      asker.close()
      await watch.ended()
    }
  }

  private async found(): Promise<Found> {
    const settings = await this.settings({ ...peerKeys, ...tlsKeys })
    const named = (await this.site()).values.get('peer.address')?.layer
    const namesSite = this.config !== undefined || named === 'environment' || named === 'command line'
    const { file } = await this.context.loadedSite()
    const siteFile = file === (await this.context.defaultSite()).file ? undefined : file
    return findTargets({ peers: this.peers, directory: this.directory, namesSite, siteFile, cwd: this.context.cwd }, settings)
  }

  private intervalMs(): number {
    if (this.interval === undefined) return DEFAULT_INTERVAL_MS
    const seconds = /^\d{1,5}(\.\d{1,3})?s?$/.test(this.interval) ? Number.parseFloat(this.interval) : Number.NaN
    if (seconds >= 0.1 && seconds <= 3600) return seconds * 1000
    throw new PeerError('ERR_USAGE', `--interval takes seconds from 0.1 to 3600; found ${this.interval}`)
  }
}

/** The first picture in which everybody has answered twice, so that there are rates, or not at all. */
async function settled(watch: Watch): Promise<Picture> {
  for (const deadline = performance.now() + SETTLE_MS; !watch.isSettled && performance.now() < deadline; ) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
  return watch.picture()
}
