import { PeerCommand } from '../../kernel/index.js'
import { DoctorCheck, examineBy, isFailed, patientOf } from './check.js'
import type { Examined } from './finding.js'
import { findingLines, summary } from './report.js'

/** `peer doctor` */
export class DoctorCommand extends PeerCommand {
  static override paths = [['doctor']]
  static override usage = PeerCommand.Usage({
    category: 'Doctor',
    description: 'Find out what is wrong with this peer, its site and its machine.',
    details: `
      Runs every check that the plugins of the site bring, also while the peer runs, and says what to do about what they find. Changes nothing.
      Exits with 1 after a failure; warnings alone are 0. \`peer doctor <name>\` runs one check.
    `,
    examples: [
      ['Everything', '$0 doctor'],
      ['For programs', '$0 doctor --json'],
      ['One check', '$0 doctor tls'],
    ],
  })

  protected async run(): Promise<number> {
    const { plugins } = await this.context.loadedSite()
    const patient = patientOf(await this.site(), this.context)
    const all: Examined[] = []
    for (const command of plugins.flatMap(({ commands = [] }) => commands)) {
      if (!isCheck(command)) continue
      // One after the other: a check may measure the machine.
      all.push(await examineBy(command.paths?.[0]?.[1] ?? '', new command(), patient))
    }
    const isFine = !isFailed(all)
    this.report({ ok: isFine, checks: all }, `${[...findingLines(all), '', summary(all)].join('\n')}\n`)
    return isFine ? 0 : 1
  }
}

function isCheck(command: unknown): command is (new () => DoctorCheck) & { readonly paths?: readonly (readonly string[])[] } {
  return typeof command === 'function' && command.prototype instanceof DoctorCheck
}
