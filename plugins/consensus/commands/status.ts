import { Client } from '@grpc/grpc-js'
import { Command } from 'clipanion'
import { Option, peerKeys } from '../../../kernel/index.js'
import { callUnary, type ConsensusReport, ConsensusToolsService, hex } from '../../../proto/index.js'
import { dialFailure, GrpcCommand } from '../../grpc/index.js'
import { engineViewOf } from '../aids/report-view.js'
import { askMembers, isWell, membersJson, membersText } from './all-members.js'
import { statusText } from './status-text.js'

const ANSWER_MS = 5000

/** `peer consensus status`: what orders transactions here, and how it is. */
export class ConsensusStatusCommand extends GrpcCommand {
  static override paths = [['consensus', 'status']]
  static override usage = Command.Usage({
    category: 'consensus specific commands.',
    description: 'Engine, epoch, height, members, and what the engine says of itself.',
    details:
      'Asks the peer at `peer.address`. Exit code 1 if it cannot be reached, orders nothing, has too few links to order, or knows that its state is behind: fit for a health check of a validator. With --all every other member is asked as well, at the address that this peer is linked to; exit code 1 if that holds for any of them.',
    examples: [
      ['Of the local peer', 'peer consensus status'],
      ['Of every member', 'peer consensus status --all'],
      ['For programs', 'peer consensus status --json'],
    ],
  })

  all = Option.Boolean('--all', false, { description: 'ask every member, and show them in a table' })

  protected async run(): Promise<number> {
    let client: Client
    try {
      client = await this.dial(Client)
    } catch (error) {
      throw dialFailure('', error)
    }
    const found = await callUnary(client, ConsensusToolsService.status, {}, { deadline: Date.now() + ANSWER_MS })
    if (this.all) return this.showAll(client, found)
    const view = engineViewOf(found)
    this.report({ ...found, headHash: hex(found.headHash), stateHash: hex(found.stateHash), engineView: view }, `${statusText(found, view).join('\n')}\n`)
    return isWell({ answer: { report: found } }) ? 0 : 1
  }

  private async showAll(client: Client, own: ConsensusReport): Promise<number> {
    const { 'peer.address': address } = await this.settings(peerKeys)
    const members = await askMembers({ client, own, address, dial: (other) => this.dial(Client, other), answerMs: ANSWER_MS })
    this.report(membersJson(members), `${membersText(members).join('\n')}\n`)
    return members.every(isWell) ? 0 : 1
  }
}
