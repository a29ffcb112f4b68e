import type { Patient } from '../doctor/index.js'
import { type ConfigNote, configNotes } from './notes.js'

/** A site whose keys are valid one by one. */
export type CheckedSite = Pick<Patient, 'site' | 'directory' | 'settings' | 'entries'>

/** A plugin that looks deeper into a configuration than the schemas of its keys do. */
export interface ConfigChecker {
  /** Starts no peer. */
  readonly checkConfig: (checked: CheckedSite) => Promise<readonly ConfigNote[]>
}

/** What there is to say of a configuration: by this plugin, and by the site's others. Rejects with ERR_CONFIG_INVALID where keys are wrong already. */
export async function allNotes(checked: CheckedSite): Promise<readonly ConfigNote[]> {
  const notes: ConfigNote[] = [...configNotes(checked.site)]
  checked.entries()
  for (const plugin of checked.site.plugins) if (isChecker(plugin)) notes.push(...(await plugin.checkConfig(checked)))
  return notes
}

function isChecker<T extends object>(plugin: T): plugin is T & ConfigChecker {
  return 'checkConfig' in plugin && typeof plugin.checkConfig === 'function'
}
