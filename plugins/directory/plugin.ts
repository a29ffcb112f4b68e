import { definePlugin } from '../../kernel/index.js'
import { DataCheck } from './doctor.js'
import { lockDirectory } from './lock.js'
import { DIRECTORY } from './token.js'

/** Takes `peer.fileSystemPath` for this process; `peer.pid` names it while the peer runs (spec/node.md §3). */
export default definePlugin({
  name: 'directory',
  description: 'takes the data directory for one process, and writes peer.pid',
  provides: [DIRECTORY],
  commands: [DataCheck],
  apply(peer) {
    peer.hooks.db.tap(async ({ directory }) => {
      const lock = lockDirectory(directory)
      // Plugins that use the directory stop before.
      peer.onDispose(() => lock.release())
      peer.provide(DIRECTORY, lock)
    })
    peer.hooks.start.tap(async () => peer.use(DIRECTORY).writePid())
  },
})
