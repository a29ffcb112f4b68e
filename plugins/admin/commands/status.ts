import { Client } from '@grpc/grpc-js'
import { Command } from 'clipanion'
import { PeerCommand, messageOf } from '../../../kernel/index.js'
import { AdminService, ServerStatus_StatusCode, callUnary } from '../../../proto/index.js'

/** `peer node status`: v0.6 always exits 0 and prints the status with a trailing space (spec/node.md §1). */
export class StatusCommand extends PeerCommand {
  static override paths = [['node', 'status']]
  static override usage = Command.Usage({
    category: 'node specific commands.',
    description: 'Status of the node.',
    details: 'Asks the running peer at `peer.address`. Prints UNKNOWN if it cannot be reached; the exit code is 0 either way, as in v0.6.',
    examples: [
      ['Ask the local peer', 'peer node status'],
      ['For programs', 'peer node status --json'],
    ],
  })

  protected async run(): Promise<number> {
    let status = ServerStatus_StatusCode.UNKNOWN
    let reason: string | undefined
    try {
      const client = await this.dial(Client)
      try {
        ;({ status } = await callUnary(client, AdminService.getStatus, {}, { deadline: Date.now() + 3000 }))
      } finally {
        client.close()
      }
    } catch (error) {
      reason = `Error trying to connect to local peer: ${messageOf(error)}`
      this.warn(reason)
    }
    const word = ServerStatus_StatusCode[status] ?? String(status)
    this.report({ status: word, ...(reason === undefined ? {} : { reason }) }, `status:${word} \n`)
    return 0
  }
}
