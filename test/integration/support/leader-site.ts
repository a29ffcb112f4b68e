import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestPeer } from './peer.js'

/**
 * A site with an engine for tests of state transfer: member 0 makes the blocks and tells everybody its head, the others have nothing but transfers.
 */
const SITE = `
import { defineConfig, definePlugin } from 'weft'
import base from 'weft/peer.config'
import { ENGINES } from 'weft/plugins/consensus'

const headBytes = ({ height, hash }) => Buffer.from(JSON.stringify({ height: String(height), hash: Buffer.from(hash).toString('hex') }))

function leader(host) {
  const waiting = []
  let inFlight = 0
  let blocks = 0
  const deliver = () => {
    if (waiting.length === 0 || inFlight > 0) return
    inFlight++
    host.deliver('block ' + blocks++, waiting.splice(0, 1))
  }
  return {
    onRequest(request) {
      waiting.push(request)
      deliver()
    },
    onPeer(member, up) {
      if (up) host.send(member, headBytes(host.head))
    },
    onDelivered() {
      inFlight--
      host.broadcast(headBytes(host.head))
      deliver()
    },
  }
}

function follower(host) {
  let wanted
  let isTransferring = false
  const follow = () => {
    if (isTransferring || wanted === undefined || wanted.height < host.head.height) return
    isTransferring = true
    host.transferTo(wanted)
    wanted = undefined
  }
  return {
    onMessage(from, bytes) {
      const { height, hash } = JSON.parse(Buffer.from(bytes).toString())
      wanted = { height: BigInt(height), hash: Buffer.from(hash, 'hex'), members: [from] }
      follow()
    },
    onTransferred(result) {
      isTransferring = false
      if (!result.reached) host.log('warning', result.reason)
      follow()
    },
  }
}

const factory = {
  name: 'leader',
  version: '1.0.0',
  agreement: true,
  tolerates: () => ({ crashed: 0, byzantine: 0 }),
  parseOptions: () => ({}),
  create: (host) => (host.self === 0 ? leader(host) : follower(host)),
}
const plugin = definePlugin({
  name: 'leader',
  requires: [ENGINES],
  apply(peer) {
    peer.hooks.registerServices.tap(async () => peer.use(ENGINES).register(factory, {}))
  },
})
export default defineConfig({ ...base, plugins: [...base.plugins, plugin] })
`

/** Puts the site into the working directories of peers; before they start. */
export function writeLeaderSite(peers: readonly TestPeer[]): void {
  for (const { directory } of peers) writeFileSync(join(directory, 'peer.config.ts'), SITE)
}
