import { Command } from 'clipanion'
import type { EpochRecord } from '../../../proto/index.js'
import { withOptions } from './plan-table.js'
import { epochJson, SuccessionCommand } from './succession-command.js'

/** `peer consensus history`: the engines of this chain. */
export class HistoryCommand extends SuccessionCommand {
  static override paths = [['consensus', 'history']]
  static override usage = Command.Usage({
    category: 'consensus specific commands.',
    description: 'The epochs of this chain: which engine ordered which blocks.',
    details: 'From the world state, the same on every validator. To be run on the machine of a validator.',
    examples: [
      ['All epochs', 'peer consensus history'],
      ['For programs', 'peer consensus history --json'],
    ],
  })

  protected async run(): Promise<void> {
    const { history, height } = await this.succession(true)
    const lines = history.flatMap((record, at) => linesOf(record, history[at + 1]?.activation ?? height - 1n))
    this.report({ height, epochs: history.map(epochJson) }, `${lines.join('\n')}\n`)
  }
}

function linesOf({ epoch, engine, version, activation, options, isRecovery, missing, members }: EpochRecord, last: bigint): string[] {
  const first = epoch === 0n ? 0n : activation + 1n
  const blocks = last < first ? 'no blocks yet' : `blocks ${first} to ${last}`
  const lost = missing.map((member) => members[member] ?? String(member)).join(', ')
  const how = isRecovery ? `, after a recovery${lost === '' ? '' : ` without ${lost}`}` : ''
  return withOptions(`epoch ${epoch}: ${engine} ${version}, ${blocks}${how}`, options === '' ? '{}' : options)
}
