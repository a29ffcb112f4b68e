import { nearest, Option, PeerCommand, PeerError } from '../../kernel/index.js'
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

  names = Option.Rest({ name: 'check' })

  protected async run(): Promise<number> {
    const { plugins } = await this.context.loadedSite()
    const checks = plugins.flatMap(({ commands = [] }) => commands.filter(isCheck))
    // A check that there is has a command of its own.
    if (this.names.length > 0) throw unknownCheck(this.names, checks.map(nameOf))
    const patient = patientOf(await this.site(), this.context)
    const all: Examined[] = []
    // One after the other: a check may measure the machine.
    for (const check of checks) all.push(await examineBy(nameOf(check), new check(), patient))
    const isFine = !isFailed(all)
    this.report({ ok: isFine, checks: all }, `${[...findingLines(all), '', summary(all)].join('\n')}\n`)
    return isFine ? 0 : 1
  }
}

type CheckClass = (new () => DoctorCheck) & { readonly paths?: readonly (readonly string[])[] }

function isCheck(command: unknown): command is CheckClass {
  return typeof command === 'function' && command.prototype instanceof DoctorCheck
}

function nameOf({ paths }: CheckClass): string {
  return paths?.[0]?.[1] ?? ''
}

function unknownCheck(given: readonly string[], names: readonly string[]): PeerError {
  const unknown = given.find((name) => !names.includes(name))
  if (unknown === undefined) return new PeerError('ERR_USAGE', `expected one check, or none for all of them; found ${given.join(', ')}`)
  const near = nearest(unknown, names)
  return new PeerError('ERR_DOCTOR_CHECK', `there is no check '${unknown}'${near === undefined ? '' : `, did you mean ${near}`}; there are ${names.join(', ')}`)
}
