import { onTestFinished } from 'vitest'
import { Peer, type PeerOptions, type Plugin, createSite, definePlugin } from '../../kernel/index.js'
import chaincode from '../../plugins/chaincode/index.js'
import consensus from '../../plugins/consensus/index.js'
import devops from '../../plugins/devops/index.js'
import grpc from '../../plugins/grpc/index.js'
import http, { HTTP } from '../../plugins/http/index.js'
import ledger from '../../plugins/ledger/index.js'
import level from '../../plugins/level/index.js'
import { createLogging } from '../../plugins/logging/index.js'
import noopsPlugin from '../../plugins/noops/index.js'
import rest from '../../plugins/rest/index.js'
import { temporaryDirectory } from '../kernel/sites.js'

/** A running peer of real plugins in this process, with the REST listener's base address. */
export interface RestPeer {
  readonly peer: Peer
  readonly base: string
  readonly host: string
  readonly directory: string
  readonly lines: readonly string[]
}

const values = {
  'peer.listenAddress': '127.0.0.1:0',
  'peer.address': '127.0.0.1:7051',
  'peer.id': 'jdoe',
  'rest.address': '127.0.0.1:0',
  'chaincode.system': { example02: 'enable' },
}

/** Starts a peer; it stops with its test. */
export async function restPeer(
  changes: Readonly<Record<string, unknown>> = {},
  options: PeerOptions & { plugins?: readonly Plugin[] } = {},
): Promise<RestPeer> {
  const directory = temporaryDirectory()
  const lines: string[] = []
  let host = ''
  const probe = definePlugin({
    name: 'probe',
    requires: [HTTP],
    apply(plugin) {
      plugin.hooks.start.tap(async () => {
        host = plugin.use(HTTP).find('rest')?.address ?? ''
      })
    },
  })
  const plugins = [grpc, level, ledger, chaincode, consensus, noopsPlugin, devops, http, rest, ...(options.plugins ?? []), probe]
  const all = { ...values, 'peer.fileSystemPath': directory, ...changes }
  const site = Object.entries(all).reduce((made, [key, value]) => made.with(key, value, 'test'), createSite({ plugins }))
  const logging = createLogging({ spec: 'info', stream: { write: (line: string) => lines.push(line) } })
  const peer = new Peer(site, { logging, ...options })
  await peer.start()
  onTestFinished(() => peer.stop())
  return { peer, base: `http://${host}`, host, directory, lines }
}

/** Posts to /chaincode; the answer's status and text. */
export async function rpc({ base }: Pick<RestPeer, 'base'>, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(`${base}/chaincode`, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), headers })
  return { status: response.status, headers: response.headers, text: await response.text() }
}
