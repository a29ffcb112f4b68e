import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from '@grpc/grpc-js'
import { Command, Option } from 'clipanion'
import { PeerError } from '../../../kernel/index.js'
import { AdminService, ServerStatus_StatusCode, callUnary } from '../../../proto/index.js'
import { GrpcCommand, dialFailure, rpcErrorText } from '../../grpc/index.js'

const POLL_MS = 100
const ANSWER_MS = 3000

/** What a peer says of itself, or why it said nothing. */
interface Answer {
  readonly status: string
  readonly reason?: string
  readonly hint?: string
}

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
    if (answer.reason !== undefined) this.warn(answer.hint === undefined ? answer.reason : `${answer.reason}\n  ${answer.hint}`)
    this.report(answer, `status:${answer.status} \n`)
    return answer.reason !== undefined && waitSeconds !== undefined ? 1 : 0
  }

  private async ask(): Promise<Answer> {
    let client: Client
    try {
      client = await this.dial(Client)
    } catch (error) {
      const { message, hint } = dialFailure('', error)
      return { status: 'UNKNOWN', reason: message, ...(hint === undefined ? {} : { hint }) }
    }
    try {
      const { status } = await callUnary(client, AdminService.getStatus, {}, { deadline: Date.now() + ANSWER_MS })
      return { status: ServerStatus_StatusCode[status] ?? String(status) }
    } catch (error) {
      return { status: 'UNKNOWN', reason: `Error trying to get status from local peer: ${rpcErrorText(error)}` }
    }
  }

  private waitSeconds(): number | undefined {
    if (this.wait === undefined) return undefined
    if (!/^\d+(\.\d+)?$/.test(this.wait)) throw new PeerError('ERR_USAGE', `--wait takes a number of seconds, found ${this.wait}`)
    return Number(this.wait)
  }
}
