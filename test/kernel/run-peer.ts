import { createSite, Peer, runUntilStopped, definePlugin } from '../../kernel/index.js'
import dataDirectory from '../../plugins/directory/index.js'
import logging from '../../plugins/logging/index.js'

/** A real peer process for tests: `node run-peer.mjs <directory> [stuck]`; prints `ready`, ends as runUntilStopped says. */
const [directory = '', mode = ''] = process.argv.slice(2)
const plugin = definePlugin({
  name: 'announcer',
  apply(host) {
    host.hooks.start.tap(async () => {
      setImmediate(() => process.stdout.write('ready\n'))
      if (mode === 'throwing') setTimeout(() => void Promise.reject(new Error('nobody caught me')), 20)
    })
    host.hooks.stop.tap(() => (mode === 'stuck' ? new Promise(() => undefined) : Promise.resolve()))
  },
})
const site = createSite({ plugins: [logging, dataDirectory, plugin] })
  .with('peer.fileSystemPath', directory, 'test')
  .with('peer.listenAddress', '127.0.0.1:0', 'test')
process.exitCode = await runUntilStopped(new Peer(site), process).catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`)
  return 2
})
process.exit()
