import { Command } from 'clipanion'
import { hex } from '../../../proto/index.js'
import { leadershipOf } from '../../consensus/index.js'
import type { DevnetPeer } from '../devnet.js'
import { runningEngine } from '../view.js'
import { DevnetCommand } from './devnet-command.js'
import { table } from '../../terminal/index.js'

/** `peer devnet status` */
export class DevnetStatusCommand extends DevnetCommand {
  static override paths = [['devnet', 'status']]
  static override usage = Command.Usage({
    category: 'A network on this machine',
    description: 'How every validator of the network is: engine, height, head, view, links.',
    details:
      'Exit code 0 if all of them run and can order transactions, else 1. `links`: other validators that it is connected to. `peer consensus status` and `peer network status` with `--config weft-devnet/vp0/peer.config.yaml` say more of one.',
    examples: [
      ['All at a glance', 'peer devnet status'],
      ['For programs', 'peer devnet status --json'],
    ],
  })

  protected async run(): Promise<number> {
    const devnet = this.found()
    const found = await devnet.look()
    const shown = found.map(shownOf)
    const isFine = shown.every(({ state }) => state === 'running')
    this.report(
      { directory: devnet.directory, engine: runningEngine(found) ?? devnet.plan.engine, peers: shown },
      `${table([HEADER, ...shown.map(rowOf)]).join('\n')}\n`,
    )
    return isFine ? 0 : 1
  }
}

/** One peer, as programs read it. */
interface ShownPeer {
  readonly id: string
  readonly state: 'running' | 'behind' | 'halted' | 'starting' | 'stopped'
  readonly reason?: string
  readonly pid?: number
  readonly address: string
  /** What orders now, and in which epoch. */
  readonly engine?: string
  readonly version?: string
  readonly epoch?: bigint
  readonly height?: bigint
  readonly headHash?: string
  readonly stateHash?: string
  readonly pending?: bigint
  readonly links?: readonly string[]
  /** Of engines that have them, under whichever name they show them. */
  readonly view?: number | string | undefined
  readonly leader?: string | undefined
}

function shownOf({ peer, view }: DevnetPeer): ShownPeer {
  const { id, address } = peer
  if (view.state === 'stopped') return { id, state: 'stopped', address }
  if (view.state === 'starting') return { id, state: 'starting', reason: view.reason, pid: view.pid, address }
  const { report, pid } = view
  const leadership = leadershipOf(report)
  const reason = [report.halted, report.stalled, report.divergence].find((words) => words !== '') ?? ''
  return {
    id,
    state: report.halted !== '' ? 'halted' : report.valid ? 'running' : 'behind',
    ...(reason === '' ? {} : { reason }),
    pid,
    address,
    engine: report.engine,
    version: report.version,
    epoch: report.epoch,
    height: report.height,
    headHash: hex(report.headHash),
    stateHash: hex(report.stateHash),
    pending: report.pending,
    links: report.members.filter(({ self, connected }) => connected && !self).map((member) => member.id),
    view: leadership.view !== undefined && /^\d{1,15}$/.test(leadership.view) ? Number(leadership.view) : leadership.view,
    leader: leadership.leader,
  }
}

const HEADER = ['peer', 'state', 'process', 'address', 'engine', 'height', 'head', 'view', 'leader', 'links', 'pending']

function rowOf(shown: ShownPeer): readonly string[] {
  const { id, state, pid, address, engine, height, headHash, view, leader, links, pending, reason } = shown
  const words = [
    id,
    state,
    pid,
    address,
    engine === '' ? undefined : engine,
    height,
    headHash === undefined ? undefined : headHash.slice(0, 12) || 'none',
    view,
    leader,
    links?.length,
    pending,
  ]
  return [...words.map(cell), ...(reason === undefined ? [] : [reason])]
}

/** What is not known is a dash. */
function cell(word: unknown): string {
  return typeof word === 'string' || typeof word === 'number' || typeof word === 'bigint' ? `${word}` : '-'
}
