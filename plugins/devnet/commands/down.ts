import { Command, Option } from 'clipanion'
import { PeerError } from '../../../kernel/index.js'
import { removeDevnet } from '../layout.js'
import { DevnetCommand } from './devnet-command.js'

/** `peer devnet down` */
export class DevnetDownCommand extends DevnetCommand {
  static override paths = [['devnet', 'down']]
  static override usage = Command.Usage({
    category: 'A network on this machine',
    description: 'Stop the network, or some of its validators.',
    details:
      'Ends them in good order, one after the other, and returns when they have ended; `peer devnet up` starts them again with their ledgers. `--kill` ends them as a power cut would. `--wipe` deletes the ledgers of the validators named, or the whole devnet with its files.',
    examples: [
      ['All of them', 'peer devnet down'],
      ['One, without warning', 'peer devnet down vp0 --kill'],
      ['One that has lost its disk when it comes again', 'peer devnet down vp3 --wipe'],
      ['And delete everything', 'peer devnet down --wipe'],
    ],
  })

  isKilled = Option.Boolean('--kill', false, { description: 'end them at once, as a power cut would' })
  isWiped = Option.Boolean('--wipe', false, { description: 'delete their ledgers; without names the whole devnet' })
  names = Option.Rest({ name: 'peers' })

  protected async run(): Promise<void> {
    const devnet = this.found()
    const peers = devnet.named(this.names)
    const running = peers.filter((peer) => devnet.pid(peer) !== undefined)
    if (this.isKilled) await Promise.all(running.map((peer) => devnet.kill(peer)))
    else for (const { id } of await devnet.stop(running)) this.warn(`${id} did not end in time and was killed`)
    if (this.isWiped && this.names.length > 0) for (const peer of peers) devnet.wipe(peer)
    else if (this.isWiped) removeDevnet(devnet)
    const ids = running.map(({ id }) => id)
    const alive = devnet.peers.filter((peer) => devnet.pid(peer) !== undefined).map(({ id }) => id)
    if (peers.some((peer) => devnet.pid(peer) !== undefined)) throw new PeerError('ERR_DEVNET_ALIVE', 'some of them were started again meanwhile')
    const words = [
      ids.length === 0 ? 'Nothing was running' : `${this.isKilled ? 'Killed' : 'Stopped'} ${ids.join(', ')}`,
      ...(this.isWiped
        ? [
            this.names.length > 0
              ? `deleted the ledger${peers.length === 1 ? '' : 's'} of ${peers.map(({ id }) => id).join(', ')}`
              : `deleted ${devnet.directory}`,
          ]
        : []),
      ...(alive.length === 0 ? [] : [`still running: ${alive.join(', ')}`]),
    ]
    this.report({ directory: devnet.directory, stopped: ids, running: alive, wiped: this.isWiped }, `${words.join('; ')}.\n`)
  }
}
