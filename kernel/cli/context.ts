import type { BaseContext } from 'clipanion'
import type { LoadedSite } from '../config/load.js'

/** What commands get from the program around them; tests bring their own. */
export interface PeerContext extends BaseContext {
  /** Directory from which the site is searched and relative paths count. */
  cwd: string
  /** The site that brought the commands; loads it on first use. */
  loadedSite(): Promise<LoadedSite>
  /** The packaged default site, which needs no file. */
  defaultSite(): Promise<LoadedSite>
}
