import { Client } from '@grpc/grpc-js'
import { Command } from 'clipanion'
import { columns, Option, peerKeys } from '../../../kernel/index.js'
import { callUnary, type ConsensusReport, ConsensusToolsService } from '../../../proto/index.js'
import { dialFailure, GrpcCommand } from '../../grpc/index.js'
import { engineViewOf } from '../report-view.js'
import { adviceOn } from './advice.js'
import { askMembers, isWell, membersJson, membersText } from './all-members.js'

const ANSWER_MS = 5000

/** `peer consensus status`: what orders transactions here, and how it is. */
export class ConsensusStatusCommand extends GrpcCommand {
  static override paths = [['consensus', 'status']]
  static override usage = Command.Usage({
    category: 'consensus specific commands.',
    description: 'Engine, epoch, height, members, and what the engine says of itself.',
    details:
      'Asks the peer at `peer.address`. Exit code 1 if it cannot be reached, orders nothing, or knows that its state is behind: fit for a health check of a validator. With --all every other member is asked as well, at the address that this peer is linked to; exit code 1 if that holds for any of them.',
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
    this.report({ ...found, headHash: hex(found.headHash), stateHash: hex(found.stateHash), engineView: view }, `${textOf(found, view).join('\n')}\n`)
    return found.halted === '' && found.valid ? 0 : 1
  }

  private async showAll(client: Client, own: ConsensusReport): Promise<number> {
    const { 'peer.address': address } = await this.settings(peerKeys)
    const members = await askMembers({ client, own, address, dial: (other) => this.dial(Client, other), answerMs: ANSWER_MS })
    this.report(membersJson(members), `${membersText(members).join('\n')}\n`)
    return members.every(isWell) ? 0 : 1
  }
}

function textOf(found: ConsensusReport, view: Readonly<Record<string, unknown>>): string[] {
  const { id, engine, version, epoch, height, headHash, stateHash, valid, pending, halted, divergence, members } = found
  const state = halted === '' ? (valid ? 'orders transactions' : 'is behind and catches up; queries are refused') : `orders nothing: ${halted}`
  return [
    `${id} ${state}`,
    ...columns([
      ['engine', engine === '' ? 'none' : `${engine} ${version}, epoch ${epoch}`],
      ['height', String(height)],
      ['head', hex(headHash) || 'none'],
      ['world state', hex(stateHash) || 'empty'],
      ['pending', `${pending} accepted here and in no block yet`],
      ['members', members.map((member) => `${member.id}${member.self ? ' (this peer)' : member.connected ? '' : ' (not connected)'}`).join(', ') || 'none'],
      ...(divergence === '' ? [] : [['divergence', divergence] as [string, string]]),
      ...(halted === '' ? [] : [['what to do', adviceOn(halted)] as [string, string]]),
    ]),
    ...(Object.keys(view).length === 0 ? [] : ['the engine says', ...columns(Object.entries(view).map(([name, value]) => [name, wordsOf(value)]))]),
  ]
}

function wordsOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
