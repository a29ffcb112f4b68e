import { DoctorCheck, type Finding, type Patient, checkUsage } from '../doctor/index.js'
import { allNotes } from './checker.js'

/** `peer doctor config`: as `peer config check`. */
export class ConfigCheck extends DoctorCheck {
  static override paths = [['doctor', 'config']]
  static override usage = checkUsage('config', 'the configuration of this site, as peer config check does')

  async examine({ site, directory, entries, settings }: Patient): Promise<readonly Finding[]> {
    const set = entries().filter(({ layer }) => layer !== 'default').length
    const notes = (await allNotes({ site, directory, entries, settings })).map(({ level, message }): Finding => {
      if (level === 'error') return { level: 'failure', found: message, todo: 'correct it: a peer does not start with it' }
      return level === 'warning'
        ? { level, found: message, todo: 'correct the name, or take it out; `peer config show` lists what there is' }
        : { level: 'ok', found: message }
    })
    if (notes.some(({ level }) => level === 'failure')) return notes
    return [{ level: 'ok', found: `${site.file} is valid: ${set} of ${entries().length} keys are set` }, ...notes]
  }
}
