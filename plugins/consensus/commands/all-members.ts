import type { Client } from '@grpc/grpc-js'
import { messageOf, PeerError } from '../../../kernel/index.js'
import { callUnary, type ConsensusReport, ConsensusToolsService, hex, type LinkStatus, NetworkToolsService } from '../../../proto/index.js'
import { isRpcError, rpcErrorText } from '../../grpc/index.js'
import { leadershipOf } from '../aids/report-view.js'
import { table } from '../../terminal/index.js'

/** Of gRPC: the peer has no such service. */
const UNIMPLEMENTED = 12

export interface MembersQuestion {
  /** Of the peer that names the members. */
  readonly client: Client
  readonly own: ConsensusReport
  readonly address: string
  readonly dial: (address: string) => Promise<Client>
  readonly answerMs: number
}

/** One member, and what it says of itself or why it says nothing. */
export interface AskedMember {
  readonly id: string
  /** Undefined: nobody asked knows it. */
  readonly address: string | undefined
  readonly answer: { readonly report: ConsensusReport } | { readonly reason: string }
}

/** The peer itself and every other member, asked at the address at which this peer is linked to it. */
export async function askMembers(question: MembersQuestion): Promise<readonly AskedMember[]> {
  const { own, address } = question
  const links = await linksOf(question)
  const others = own.members.filter(({ self }) => !self).map(({ id }) => id)
  const asked = others.map((id) => askMember(id, links.find((link) => link.id === id)?.address, question))
  const members: AskedMember[] = [{ id: own.id, address, answer: { report: own } }, ...(await Promise.all(asked))]
  const order = new Map(own.members.map(({ id, index }) => [id, index]))
  return members.sort((a, b) => (order.get(a.id) ?? -1) - (order.get(b.id) ?? -1))
}

export function isWell({ answer }: Pick<AskedMember, 'answer'>): boolean {
  return 'report' in answer && answer.report.halted === '' && answer.report.stalled === '' && answer.report.valid
}

/** As programs read it. */
export function membersJson(members: readonly AskedMember[]): object {
  return {
    members: members.map(({ id, address, answer }) => {
      if ('reason' in answer) return { id, address, state: 'unreachable', reason: answer.reason }
      const { engine, version, epoch, height, headHash, pending, halted, stalled, divergence } = answer.report
      const shown = { engine, version, epoch, height, headHash: hex(headHash), pending, ...leadershipOf(answer.report) }
      return {
        id,
        address,
        state: stateOf(answer.report),
        ...shown,
        ...(halted === '' && stalled === '' ? {} : { reason: halted === '' ? stalled : halted }),
        ...(divergence === '' ? {} : { divergence }),
      }
    }),
  }
}

const HEADER = ['member', 'engine', 'epoch', 'height', 'view', 'leader', 'state']

/** A table; of a member that does not answer the reason stands where the rest would be. */
export function membersText(members: readonly AskedMember[]): string[] {
  const rows = members.map(({ id, answer }) => {
    if ('reason' in answer) return [id, `no answer: ${answer.reason}`]
    const { engine, version, epoch, height, halted, stalled } = answer.report
    const { view = '-', leader = '-' } = leadershipOf(answer.report)
    const state = stateOf(answer.report)
    return [
      id,
      engine === '' ? 'none' : `${engine}@${version}`,
      String(epoch),
      String(height),
      view,
      leader,
      [state, halted === '' ? stalled : halted].filter((words) => words !== '').join(': '),
    ]
  })
  return table([HEADER, ...rows])
}

function stateOf({ halted, valid, stalled }: ConsensusReport): 'running' | 'stalled' | 'behind' | 'halted' {
  if (halted !== '') return 'halted'
  if (!valid) return 'behind'
  return stalled === '' ? 'running' : 'stalled'
}

async function askMember(id: string, address: string | undefined, { own, dial, answerMs }: MembersQuestion): Promise<AskedMember> {
  if (address === undefined) return { id, address, answer: { reason: `${own.id} is not linked to it, so its address is not known` } }
  try {
    const client = await dial(address)
    return { id, address, answer: { report: await callUnary(client, ConsensusToolsService.status, {}, { deadline: Date.now() + answerMs }) } }
  } catch (error) {
    const hint = error instanceof PeerError ? error.hint?.replaceAll(' (peer.address)', '') : undefined
    return { id, address, answer: { reason: hint ?? (isRpcError(error) ? rpcErrorText(error) : messageOf(error)) } }
  }
}

/** None in a site without a network. */
async function linksOf({ client, answerMs }: MembersQuestion): Promise<readonly LinkStatus[]> {
  try {
    return (await callUnary(client, NetworkToolsService.status, {}, { deadline: Date.now() + answerMs })).links
  } catch (error) {
    if (isRpcError(error) && error.code === UNIMPLEMENTED) return []
    throw error
  }
}
