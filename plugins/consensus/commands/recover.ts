import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@grpc/grpc-js'
import { Command } from 'clipanion'
import { Option, PeerError } from '../../../kernel/index.js'
import { callUnary, ConsensusToolsService, hex, type RecoveryReport } from '../../../proto/index.js'
import { namedEngine, SuccessionCommand } from './succession-command.js'

const ANSWER_MS = 30_000
const LOOK_EVERY_MS = 300
const WAYS_ON = 'peer consensus recover --status shows how far it is, --cancel takes back what was begun on this validator'

/** `peer consensus recover`: the next epoch without the engine of this one, by agreement of the operators. */
export class RecoverCommand extends SuccessionCommand {
  static override paths = [['consensus', 'recover']]
  static override usage = Command.Usage({
    category: 'consensus specific commands.',
    description: 'The way out when the engine is broken on more validators than it tolerates.',
    details:
      'To be run on the machine of every validator, with the same arguments. Stops the engine of this validator for good, also across restarts, and states where it stands; when all validators have stated that, everybody takes the highest head and begins the next epoch. A validator that is lost for good is named with --accept-loss, the same everywhere: what it alone has committed is lost, which is recorded on the chain, and if it comes back with such a block it refuses to run. Waits until the new epoch has started; what was begun goes on without the command, until --cancel.',
    examples: [
      ['On every validator', 'peer consensus recover pbft'],
      ['Without vp3, whose disk is gone', 'peer consensus recover pbft --accept-loss vp3'],
      ['How far it is', 'peer consensus recover --status'],
      ['It was begun by mistake', 'peer consensus recover --cancel'],
    ],
  })

  engine = Option.String({ required: false, name: 'engine[@version]' })
  options = Option.String('--options', { description: 'options of the engine as a JSON object (default: what the site says)' })
  acceptLoss = Option.Array('--accept-loss', [], { description: 'id of a validator that is not waited for; may be repeated' })
  isQuestion = Option.Boolean('--status', false, { description: 'show a recovery that is under way, and begin none' })
  isCancelled = Option.Boolean('--cancel', false, {
    description: 'take back what was begun on this validator: its engine goes on. Not once the next epoch has begun here',
  })
  noWait = Option.Boolean('--no-wait', false, { description: 'return as soon as the engine of this validator is stopped' })

  protected async run(): Promise<number> {
    const client = await this.tools()
    const deadline = (): { readonly deadline: number } => ({ deadline: Date.now() + ANSWER_MS })
    if (this.isCancelled) {
      if (this.engine !== undefined) throw new PeerError('ERR_USAGE', '--cancel takes back what was begun and names no engine')
      const report = await callUnary(client, ConsensusToolsService.cancelRecovery, {}, deadline())
      this.show({ ...report, state: `the recovery is taken back: the engine of epoch ${report.epoch} goes on` })
      return 0
    }
    if (this.isQuestion || this.engine === undefined) {
      const report = await callUnary(client, ConsensusToolsService.recovery, {}, deadline())
      this.show(report)
      return report.plan || report.started ? 0 : 1
    }
    const { engine, version } = namedEngine(this.engine)
    const report = await callUnary(
      client,
      ConsensusToolsService.recover,
      { engine, version, options: this.options ?? '', acceptLoss: this.acceptLoss },
      deadline(),
    )
    this.show(this.noWait ? report : await this.untilInterrupted(this.ended(client, report), 'the recovery goes on without this command', WAYS_ON))
    return 0
  }

  /** Waits until the next epoch has started, and tells what for. */
  private async ended(client: Client, begun: RecoveryReport): Promise<RecoveryReport> {
    const next = (begun.plan?.fromEpoch ?? 0n) + 1n
    let report = begun
    let said = ''
    while (!(report.epoch >= next && report.started)) {
      if (!this.json && report.state !== said) this.context.stderr.write(`${report.state}\n`)
      said = report.state
      await sleep(LOOK_EVERY_MS)
      report = await callUnary(client, ConsensusToolsService.recovery, {}, { deadline: Date.now() + ANSWER_MS })
    }
    return report
  }

  private show(report: RecoveryReport): void {
    const { plan, rows, state, epoch, started } = report
    const heads = rows.map((row) => `  ${row.id}  ${statementText(row, plan)}`)
    // What a validator remembers of a recovery goes a moment after its epoch has started.
    const isOver = started && (plan === undefined || epoch > plan.fromEpoch)
    const underWay = plan ? [`from epoch ${plan.fromEpoch} to ${plan.engine} ${plan.version}: ${state}`, ...heads] : [state]
    const what = isOver ? [`epoch ${epoch} has started, after a recovery`] : underWay
    this.report({ ...report, id: hex(report.id), rows: rows.map((row) => ({ ...row, hash: hex(row.hash) })) }, `${what.join('\n')}\n`)
  }
}

/** What a recovery knows of one validator. */
export function statementText({ id, stated, height, hash, differs }: RecoveryReport['rows'][number], plan: RecoveryReport['plan']): string {
  if (plan?.missing.some((member) => plan.members[member] === id)) return 'is not waited for: --accept-loss'
  if (differs) return 'was told another plan'
  return stated ? `height ${height}, head ${Buffer.from(hash).toString('hex', 0, 6)}` : 'has not stated anything'
}
