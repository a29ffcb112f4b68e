import { Client } from '@grpc/grpc-js'
import { Command } from 'clipanion'
import { columns } from '../../../kernel/index.js'
import { callUnary, type LinkStatus, type NetworkStatus, NetworkToolsService, PeerEndpoint_Type } from '../../../proto/index.js'
import { dialFailure, GrpcCommand } from '../../grpc/index.js'

const ANSWER_MS = 5000

/** `peer network status`: the links of the running peer and what they carry. */
export class StatusCommand extends GrpcCommand {
  static override paths = [['network', 'status']]
  static override usage = Command.Usage({
    category: 'network specific commands.',
    description: 'Links of the running peer: direction, round trip, queues, counters.',
    details:
      'Asks the peer at `peer.address`. `dialled`: this peer opened the link; `accepted`: the other one did. `packed`: many messages travel in one frame, between Weft peers. Addresses that could not be reached follow.',
    examples: [
      ['Of the local peer', 'peer network status'],
      ['For programs', 'peer network status --json'],
    ],
  })

  protected async run(): Promise<void> {
    let client: Client
    try {
      client = await this.dial(Client)
    } catch (error) {
      throw dialFailure('', error)
    }
    const status = await callUnary(client, NetworkToolsService.status, {}, { deadline: Date.now() + ANSWER_MS })
    this.report(jsonOf(status), `${textOf(status).join('\n')}\n`)
  }
}

function jsonOf({ links, ...status }: NetworkStatus): object {
  return { ...status, links: links.map((link) => ({ ...link, type: typeOf(link) })) }
}

function typeOf({ type }: LinkStatus): string {
  return PeerEndpoint_Type[type] ?? String(type)
}

function textOf({ id, links, dials, rejected }: NetworkStatus): string[] {
  const rows = links.map((link): [string, string] => [
    link.id,
    [
      link.address,
      typeOf(link).toLowerCase().replace('_', '-'),
      link.dialled ? 'dialled' : 'accepted',
      link.packed ? 'packed' : 'plain',
      link.roundTripMicros === 0n ? 'round trip unknown' : `round trip ${(Number(link.roundTripMicros) / 1000).toFixed(1)} ms`,
      `${link.queuedMessages} queued`,
      `sent ${link.sentMessages} in ${link.sentFrames} frames`,
      `received ${link.receivedMessages}`,
      ...(link.lostMessages === 0n ? [] : [`lost ${link.lostMessages}`]),
    ].join(', '),
  ])
  return [
    `${id} is connected to ${links.length} peer${links.length === 1 ? '' : 's'}${rejected === 0n ? '' : `; ${rejected} messages were refused`}`,
    ...columns(rows),
    ...dials.map(({ address, failures, retryMs, reason }) => `${address} could not be reached, ${failures} times; again in ${retryMs} ms: ${reason}`),
  ]
}
