import { Command } from 'clipanion'
import type { DevnetPeer } from '../devnet.js'
import { DevnetCommand } from './devnet-command.js'

/** `peer devnet status` */
export class DevnetStatusCommand extends DevnetCommand {
  static override paths = [['devnet', 'status']]
  static override usage = Command.Usage({
    category: 'A network on this machine',
    description: 'How every validator of the network is: height, head, view, links.',
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
    this.report({ directory: devnet.directory, engine: devnet.plan.engine, peers: shown }, `${table(shown.map(rowOf)).join('\n')}\n`)
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
  readonly height?: bigint
  readonly headHash?: string
  readonly stateHash?: string
  readonly pending?: bigint
  readonly links?: readonly string[]
  /** Of engines that have them. */
  readonly view?: number | undefined
  readonly primary?: string | undefined
}

function shownOf({ peer, view }: DevnetPeer): ShownPeer {
  const { id, address } = peer
  if (view.state === 'stopped') return { id, state: 'stopped', address }
  if (view.state === 'starting') return { id, state: 'starting', reason: view.reason, pid: view.pid, address }
  const { report, engineView, pid } = view
  const reason = report.halted !== '' ? report.halted : report.divergence
  return {
    id,
    state: report.halted !== '' ? 'halted' : report.valid ? 'running' : 'behind',
    ...(reason === '' ? {} : { reason }),
    pid,
    address,
    height: report.height,
    headHash: hex(report.headHash),
    stateHash: hex(report.stateHash),
    pending: report.pending,
    links: report.members.filter(({ self, connected }) => connected && !self).map((member) => member.id),
    view: typeof engineView['view'] === 'number' ? engineView['view'] : undefined,
    primary: typeof engineView['primary'] === 'number' ? report.members[engineView['primary']]?.id : undefined,
  }
}

const HEADER = ['peer', 'state', 'process', 'address', 'height', 'head', 'view', 'primary', 'links', 'pending']

function rowOf(shown: ShownPeer): readonly string[] {
  const { id, state, pid, address, height, headHash, view, primary, links, pending, reason } = shown
  const words = [id, state, pid, address, height, headHash === undefined ? undefined : headHash.slice(0, 12) || 'none', view, primary, links?.length, pending]
  return [...words.map(cell), ...(reason === undefined ? [] : [reason])]
}

/** What is not known is a dash. */
function cell(word: unknown): string {
  return typeof word === 'string' || typeof word === 'number' || typeof word === 'bigint' ? `${word}` : '-'
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = HEADER.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)))
  return [HEADER, ...rows].map((row) =>
    row
      .map((word, column) => word.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
