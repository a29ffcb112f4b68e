import { Client } from '@grpc/grpc-js'
import { Command } from 'clipanion'
import { PeerError } from '../../../kernel/index.js'
import { OpenchainService, type PeersMessage, callUnary } from '../../../proto/index.js'
import { GrpcCommand, dialFailure, rpcErrorText, rpcFacts, USAGE_AFTER_CALLS } from '../../grpc/index.js'
import { peersJson } from '../peers-json.js'

/** `peer network list`: what the local peer is connected to, as one line of JSON (spec/node.md §1). */
export class ListCommand extends GrpcCommand {
  static override paths = [
    ['network', 'list'],
    ['network', 'ls'],
  ]
  static override usage = Command.Usage({
    category: 'network specific commands.',
    description: 'Lists all network peers.',
    details: 'Prints one line of JSON: the peers to which the running peer at `peer.address` is connected, without itself.',
    examples: [['The peers of the local peer', 'peer network list']],
  })

  protected override readonly usageAfter = USAGE_AFTER_CALLS

  protected async run(): Promise<void> {
    this.context.stdout.write(`${peersJson(await this.ask())}\n`)
  }

  private async ask(): Promise<PeersMessage> {
    let client: Client
    try {
      client = await this.dial(Client)
    } catch (error) {
      throw dialFailure('', error)
    }
    try {
      return await callUnary(client, OpenchainService.getPeers, {})
    } catch (error) {
      throw new PeerError('ERR_RPC', `Error trying to get peers: ${rpcErrorText(error)}`, rpcFacts(error))
    }
  }
}
