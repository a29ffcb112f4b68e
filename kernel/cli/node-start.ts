import { PeerCommand } from './command.js'

/** `peer node start`: runs this site's peer until it is told to stop (spec/node.md §3). */
export class NodeStartCommand extends PeerCommand {
  static override paths = [['node', 'start']]
  static override usage = PeerCommand.Usage({
    description: 'Start the peer of this site.',
    details: 'Runs until SIGINT, SIGTERM or `peer node stop`, and then stops in good order.',
    examples: [
      ['The site found from here upwards', '$0 node start'],
      ['Another peer of this machine', '$0 node start --config vp1/peer.config.yaml'],
    ],
  })

  protected async run(): Promise<number> {
    const [{ Peer }, { runUntilStopped }] = await Promise.all([import('../peer.js'), import('../signals.js')])
    return runUntilStopped(new Peer(await this.site()), process)
  }
}
