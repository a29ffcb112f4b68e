import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from '@grpc/grpc-js'
import { Command, Option } from 'clipanion'
import { PeerError, messageOf } from '../../../kernel/index.js'
import { AdminService, ServerStatus_StatusCode, callUnary } from '../../../proto/index.js'
import { GrpcCommand } from '../../grpc/index.js'

const POLL_MS = 100
const ANSWER_MS = 3000

/** `peer node status`: v0.6 always exits 0 and prints the status with a trailing space (spec/node.md §1). */
export class StatusCommand extends GrpcCommand {
  static override paths = [['node', 'status']]
  static override usage = Command.Usage({
    category: 'node specific commands.',
    description: 'Status of the node.',
    details: 'Asks the running peer at `peer.address`. Prints UNKNOWN if it cannot be reached; the exit code is 0 either way, as in v0.6.',
    examples: [
      ['Ask the local peer', 'peer node status'],
      ['Wait for a peer that is starting', 'peer node status --wait 20'],
      ['For programs', 'peer node status --json'],
    ],
  })

  wait = Option.String('--wait', { description: 'wait up to so many seconds until the peer answers; exit 1 if it does not' })

  protected async run(): Promise<number> {
    const waitSeconds = this.waitSeconds()
    const deadline = performance.now() + (waitSeconds ?? 0) * 1000
    let answer = await this.ask()
    while (answer.reason !== undefined && performance.now() < deadline) {
      await sleep(POLL_MS)
      answer = await this.ask()
    }
    if (answer.reason !== undefined) this.warn(answer.reason)
    this.report(answer, `status:${answer.status} \n`)
    return answer.reason !== undefined && waitSeconds !== undefined ? 1 : 0
  }

  private async ask(): Promise<{ readonly status: string; readonly reason?: string }> {
    try {
      const client = await this.dial(Client)
      const { status } = await callUnary(client, AdminService.getStatus, {}, { deadline: Date.now() + ANSWER_MS })
      return { status: ServerStatus_StatusCode[status] ?? String(status) }
    } catch (error) {
      return { status: 'UNKNOWN', reason: `Error trying to connect to local peer: ${messageOf(error)}` }
    }
  }

  private waitSeconds(): number | undefined {
    if (this.wait === undefined) return undefined
    if (!/^\d+(\.\d+)?$/.test(this.wait)) throw new PeerError('ERR_USAGE', `--wait takes a number of seconds, found ${this.wait}`)
    return Number(this.wait)
  }
}
