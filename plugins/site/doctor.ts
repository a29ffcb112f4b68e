import { DoctorCheck, type Finding, type Patient, checkUsage } from '../doctor/index.js'
import { configNotes } from './notes.js'

/** `peer doctor config`: as `peer config check`. */
export class ConfigCheck extends DoctorCheck {
  static override paths = [['doctor', 'config']]
  static override usage = checkUsage('config', 'the configuration of this site, as peer config check does')

  async examine({ site, entries }: Patient): Promise<readonly Finding[]> {
    const set = entries().filter(({ layer }) => layer !== 'default').length
    const notes = configNotes(site).map(
      ({ level, message }): Finding =>
        level === 'warning'
          ? { level, found: message, todo: 'correct the name, or take it out; `peer config show` lists what there is' }
          : { level: 'ok', found: message },
    )
    return [{ level: 'ok', found: `${site.file} is valid: ${set} of ${entries().length} keys are set` }, ...notes]
  }
}
