import { Command, Option } from 'clipanion'
import { isDeepStrictEqual } from 'node:util'
import { columns, PeerError } from '../../../kernel/index.js'
import { ownPackage } from '../../loader/index.js'
import { interruptible, Interruption, packageFolder, wholeNumber, writtenSet } from '../../terminal/index.js'
import type { Devnet, StartedPeer } from '../devnet.js'
import { createDevnet, findDevnet, mendDevnet, namesBefore, removeDevnet } from '../layout.js'
import { runningEngine } from '../view.js'
import { DEFAULT_PLAN, type DevnetPlan } from '../plan.js'
import { DevnetCommand } from './devnet-command.js'

const LIMIT_SECONDS = 60
const NO_AGREEMENT =
  'noops gives no agreement: every validator orders what it is told in its own order, and their chains may differ. It is meant for one validator: --validators 1, or another --engine'

/** `peer devnet up` */
export class DevnetUpCommand extends DevnetCommand {
  static override paths = [['devnet', 'up']]
  static override usage = Command.Usage({
    category: 'A network on this machine',
    description: 'Start a network of validators on this machine.',
    details:
      'Every validator is a process of its own with a configuration file of its own, `weft-devnet/vp0/peer.config.yaml` and so on, which extends the site found here. Returns when they are all connected and can order transactions; they go on in the background. A devnet that is there already is started again with its ledgers: those of its peers that do not run. `--set key=value` is written into every file. Variables CORE_* do not reach the peers. vp0 listens where the default site does, so that other commands reach it without options; use `--config weft-devnet/vp1/peer.config.yaml` for another one.',
    examples: [
      ['Four validators that agree with PBFT', 'peer devnet up'],
      ['Seven, elsewhere, with TLS', 'peer devnet up --validators 7 --tls --dir /tmp/seven --port 17050'],
      ['With small batches', 'peer devnet up --set pbft.general.batchsize=2'],
      ['With an engine from its package', 'peer devnet up --engine raft --with ./weft-engine-raft'],
      ['With other engines to swap to, from their packages', 'peer devnet up --with weft-engine-raft --with ./my-engine'],
      ['One that was stopped or killed, again', 'peer devnet up vp2'],
    ],
  })

  validators = Option.String('--validators', { description: 'how many (default 4)' })
  engine = Option.String('--engine', { description: 'consensus engine (default pbft)' })
  tls = Option.Boolean('--tls', { description: 'encrypt all connections, with a certificate made for this devnet' })
  port = Option.String('--port', {
    description:
      'first port; vp0 uses this (REST), the next (peers, clients) and the third, fourth and fifth after it (events, metrics, profiles), vp1 ten further (default 7050)',
  })
  packages = Option.Array('--with', [], {
    description: 'package of an engine, by name or folder, that every peer has (consensus.engines); may be repeated. Swap to it with peer consensus swap',
  })
  timeout = Option.String('--timeout', { description: `seconds to wait until the network is ready (default ${LIMIT_SECONDS})` })
  names = Option.Rest({ name: 'peers' })

  private readonly interruption = new Interruption()

  /** Signals are heard from here on: the peers that they have to end come later. */
  override execute(): Promise<number> {
    return interruptible(this.interruption, () => super.execute())
  }

  protected async run(): Promise<void> {
    const limitMs = 1000 * (this.number('--timeout', this.timeout) ?? LIMIT_SECONDS)
    const began = performance.now()
    const isNew = findDevnet(this.place) === undefined
    const before = namesBefore(this.place)
    const devnet = this.use(await this.devnet())
    const started = await devnet.start(devnet.named(this.names), (text) => this.warn(text))
    const found = await this.untilReady(devnet, started, limitMs).catch((error: unknown) => {
      throw isNew ? taken(devnet, before, error) : error
    })
    const seconds = Number(((performance.now() - began) / 1000).toFixed(2))
    const up = found.filter(({ view }) => view.state === 'running')
    const engine = runningEngine(found) ?? devnet.plan.engine
    if (engine === 'noops' && up.length > 1) this.warn(NO_AGREEMENT)
    const peers = found.map(({ peer, view }) => ({
      id: peer.id,
      address: peer.address,
      restAddress: peer.restAddress,
      eventsAddress: peer.eventsAddress,
      config: peer.config,
      log: peer.log,
      pid: view.state === 'stopped' ? null : view.pid,
      started: started.some((one) => one.peer === peer),
    }))
    const rows = peers.map(({ id, address, config, pid }): [string, string] => [id, `${address}  ${pid === null ? 'stopped' : `process ${pid}`}  ${config}`])
    this.report(
      { directory: devnet.directory, engine, tls: devnet.plan.tls, seconds, started: started.map(({ peer }) => peer.id), peers },
      [
        started.length === 0
          ? `All ${up.length} validators (${engine}) run already and can order transactions.`
          : `${up.length === 1 ? `1 validator (${engine}) is` : `${up.length} validators (${engine}) are`} connected and can order transactions, after ${seconds} s.`,
        ...columns(rows),
        '',
      ].join('\n'),
    )
  }

  /** What cannot come up is not left half up, unless it is only late. */
  private async untilReady(devnet: Devnet, started: readonly StartedPeer[], limitMs: number) {
    const { signal } = this.interruption
    const end = (): void => started.forEach(({ child }) => child.kill('SIGTERM'))
    signal.addEventListener('abort', end)
    try {
      if (signal.aborted) end()
      return await devnet.ready(started, limitMs)
    } catch (error) {
      if (error instanceof PeerError && error.code === 'ERR_DEVNET_NOT_READY') throw error
      await devnet.stop(started.map(({ peer }) => peer))
      throw signal.aborted ? new PeerError('ERR_INTERRUPTED', 'interrupted: what this command had started is stopped again') : error
    } finally {
      signal.removeEventListener('abort', end)
    }
  }

  private async devnet(): Promise<Devnet> {
    const asked = this.asked()
    const found = findDevnet(this.place)
    if (found) {
      const wanted = { ...found.plan, ...asked }
      if (isDeepStrictEqual(wanted, found.plan)) {
        for (const { id, config } of mendDevnet(found, await this.base())) this.warn(`${id} had lost its configuration: ${config} is written again`)
        return found
      }
      throw new PeerError('ERR_DEVNET_EXISTS', `${this.place} holds another devnet: ${wordsOf(found.plan)}; asked was ${wordsOf(wanted)}`, {
        hint: 'leave these options out to start it again, delete it with peer devnet down --wipe, or choose another --dir and --port',
      })
    }
    // All mistakes of keys and values are found before anything is written.
    await this.resolved()
    return createDevnet(this.place, { ...DEFAULT_PLAN, ...asked }, await this.base())
  }

  /** The site that the peers extend: the one found here. */
  private async base(): Promise<string> {
    const { file } = await this.context.loadedSite()
    return file === undefined || file === ownPackage().entry('weft/peer.config') ? 'weft/peer.config' : file
  }

  private asked(): Partial<DevnetPlan> {
    const validators = this.number('--validators', this.validators)
    const port = this.number('--port', this.port)
    const pairs = Object.entries(writtenSet(this.set))
    const packages = this.packages.map((named) => packageFolder('--with', named, this.context.cwd))
    if (packages.length > 0) pairs.push(['consensus.engines', packages.join()])
    return {
      ...(validators === undefined ? {} : { validators }),
      ...(this.engine === undefined ? {} : { engine: this.engine }),
      ...(this.tls === undefined ? {} : { tls: this.tls }),
      ...(port === undefined ? {} : { port }),
      ...(pairs.length === 0 ? {} : { set: Object.fromEntries(pairs) }),
    }
  }

  private number(flag: string, written: string | undefined): number | undefined {
    return written === undefined ? undefined : wholeNumber(flag, written, 0, 999_999)
  }
}

/** Takes away a devnet that has just been made and whose peers cannot run, and says so. What was there before it stays. */
function taken(devnet: Devnet, before: readonly string[] | undefined, error: unknown): unknown {
  if (!(error instanceof PeerError) || error.code !== 'ERR_DEVNET_ENDED') return error
  removeDevnet(devnet, before)
  const { engine } = devnet.plan
  if (error.message.includes(`has no engine '${engine}'`))
    return new PeerError('ERR_DEVNET_ENGINE', `the peers of this devnet would have no engine '${engine}'; nothing is left of it`, {
      cause: error,
      hint: 'name its package, or the folder of its package, with --with; --engine takes the name that the engine itself says',
    })
  return new PeerError('ERR_DEVNET_ENDED', `${error.message}\nNothing is left of this devnet.`, {
    cause: error,
    hint: 'run the command again when what it says is put right: an option of it, a package named with --with, or the site that it extends',
  })
}

function wordsOf({ validators, engine, tls, port, set }: DevnetPlan): string {
  const keys = Object.entries(set).map(([key, value]) => `${key}=${value}`)
  return [`${validators} validators`, engine, ...(tls ? ['TLS'] : []), `port ${port}`, ...keys].join(', ')
}
