import {
  type KeySpecs,
  PeerCommand,
  type PeerContext,
  PeerError,
  type ResolvedEntry,
  type ResolvedSettings,
  type Settings,
  type SiteConfig,
  messageOf,
  resolveSettings,
} from '../../kernel/index.js'
import type { Examined, Finding } from './finding.js'
import { findingLines } from './report.js'

/** The site that is examined. No peer has been started for it; one may be running. */
export interface Patient {
  readonly site: SiteConfig
  /** From which relative paths count. */
  readonly directory: string
  /** The program's own version. */
  readonly version: string
  /** Throws ERR_CONFIG_INVALID; a check need not catch it. */
  readonly settings: <K extends KeySpecs>(keys: K) => Settings<K>
  /** Throws ERR_CONFIG_INVALID. */
  readonly entries: () => readonly ResolvedEntry[]
}

/**
 * A check of `peer doctor`, and a command of its own, `peer doctor <name>`. The plugin that knows a thing brings its check among its `commands`.
 *
 * @example
 * export class LoomCheck extends DoctorCheck {
 *   static override paths = [['doctor', 'loom']]
 *   static override usage = checkUsage('loom', 'the loom stands level')
 *   async examine() {
 *     return [{ level: 'ok', found: 'the loom stands level' }]
 *   }
 * }
 */
export abstract class DoctorCheck extends PeerCommand {
  /** Looks, changes nothing, takes a few seconds at most. What it throws is a failure. */
  abstract examine(patient: Patient): Promise<readonly Finding[]>

  protected override async run(): Promise<number> {
    const [, name = ''] = this.path
    const examined = await examineBy(name, this, patientOf(await this.site(), this.context))
    this.report(examined, `${findingLines([examined]).join('\n')}\n`)
    return isFailed([examined]) ? 1 : 0
  }
}

/** Lets one check look. Never rejects: what it throws is its finding. */
export async function examineBy(check: string, examiner: Pick<DoctorCheck, 'examine'>, patient: Patient): Promise<Examined> {
  try {
    return { check, findings: await examiner.examine(patient) }
  } catch (error) {
    // The check of the configuration says it once for all.
    if (error instanceof PeerError && error.code === 'ERR_CONFIG_INVALID' && check !== 'config')
      return { check, findings: [], skipped: 'the configuration is not valid' }
    const todo = error instanceof PeerError && error.hint !== undefined ? { todo: error.hint } : {}
    return { check, findings: [{ level: 'failure', found: messageOf(error), ...todo }] }
  }
}

export function patientOf(site: SiteConfig, { cwd, version }: Pick<PeerContext, 'cwd' | 'version'>): Patient {
  let resolved: ResolvedSettings | undefined
  const settled = (): ResolvedSettings => (resolved ??= resolveSettings(site))
  return { site, directory: cwd, version, settings: (keys) => settled().settings(keys), entries: () => settled().entries() }
}

export function isFailed(all: readonly Examined[]): boolean {
  return all.some(({ findings }) => findings.some(({ level }) => level === 'failure'))
}

/** The help of a check. */
export function checkUsage(name: string, what: string) {
  return PeerCommand.Usage({
    category: 'Doctor',
    description: `Check ${what}.`,
    details: 'One of the checks of `peer doctor`. Exits with 1 after a failure; warnings alone are 0.',
    examples: [[`Only this check`, `$0 doctor ${name}`]],
  })
}
