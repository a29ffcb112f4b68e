import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { peerKeys } from '../../kernel/index.js'
import { directoryHolder } from '../directory/index.js'
import { DoctorCheck, type Finding, type Patient, checkUsage } from '../doctor/index.js'

/** `peer doctor store`: whether the next start will be able to open the store. */
export class StoreCheck extends DoctorCheck {
  static override paths = [['doctor', 'store']]
  static override usage = checkUsage('store', 'the store: its format, and whether it is damaged')

  async examine({ settings }: Patient): Promise<readonly Finding[]> {
    const { openLevelStore, storeDirectory } = await import('./open.js')
    const directory = resolve(settings(peerKeys)['peer.fileSystemPath'])
    const store = storeDirectory(directory)
    if (!existsSync(store)) return [{ level: 'ok', found: `no store yet: the first start makes ${store}` }]
    const holder = directoryHolder(directory)
    if (holder !== undefined) return [{ level: 'ok', found: `open in the running peer, process ${holder}; \`peer ledger verify\` checks it there` }]
    const { uid } = statSync(store)
    if (process.getuid?.() !== undefined && process.getuid?.() !== uid) {
      // Opening writes: files of another user would keep the peer from its own store.
      return [{ level: 'warning', found: `${store} belongs to user ${uid} and was not opened`, todo: 'run this command as that user' }]
    }
    const toReplay = logBytes(store)
    // Throws what the next start would throw, with what to do.
    await (await openLevelStore(store)).close()
    return [{ level: 'ok', found: `${store} opens, in the right format${toReplay > 0 ? `; ${toReplay} bytes of its log were replayed` : ''}` }]
  }
}

/** What LevelDB reads again when it opens: more than nothing after a peer was killed. */
function logBytes(store: string): number {
  return readdirSync(store)
    .filter((name) => name.endsWith('.log'))
    .reduce((sum, name) => sum + statSync(join(store, name)).size, 0)
}
