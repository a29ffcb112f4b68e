import { Command, Option } from 'clipanion'
import { Interruption, wholeNumber } from '../../terminal/index.js'
import { followLogs, lastOf } from '../logs.js'
import { DevnetCommand } from './devnet-command.js'

/** `peer devnet logs` */
export class DevnetLogsCommand extends DevnetCommand {
  static override paths = [['devnet', 'logs']]
  static override usage = Command.Usage({
    category: 'A network on this machine',
    description: 'The log lines of the validators.',
    details:
      'The last lines of each; `--follow` goes on until it is interrupted. Lines of several validators have its name in front; under `--json` each line is an object.',
    examples: [
      ['The last lines of all', 'peer devnet logs'],
      ['What one does', 'peer devnet logs --follow vp1'],
      ['All of it', 'peer devnet logs --lines 100000 vp1'],
    ],
  })

  isFollowing = Option.Boolean('-f,--follow', false, { description: 'go on with what comes, until interrupted' })
  lines = Option.String('--lines', '20', { description: 'how many lines of each that are there already' })
  names = Option.Rest({ name: 'peers' })

  protected async run(): Promise<number> {
    const lines = wholeNumber('--lines', this.lines, 0, 999_999_999)
    const devnet = this.found()
    const peers = devnet.named(this.names)
    const print = (id: string, line: string): void => this.report({ peer: id, line }, `${peers.length === 1 ? '' : `${id}  `}${line}\n`)
    for (const peer of peers) for (const line of await lastOf(peer, lines)) print(peer.id, line)
    if (!this.isFollowing) return 0
    const interruption = new Interruption().listen()
    try {
      await followLogs(peers, print, interruption.signal)
      return interruption.exitCodeOfEndless
    } finally {
      interruption.close()
    }
  }
}
