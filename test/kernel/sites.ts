import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSite, Peer, type PeerOptions, type Plugin, type SiteConfig } from '../../kernel/index.js'
import { createLogging } from '../../plugins/logging/index.js'

/** The module of the packaged default site. */
export const PACKAGED = join(import.meta.dirname, '../../peer.config.ts')

/** A directory of its own for one test. */
export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'weft-kernel-'))
}

/** A site that listens on any port and stores in a fresh directory. */
export function testSite(plugins: readonly Plugin[], values: Record<string, unknown> = {}): SiteConfig {
  const all = { 'peer.listenAddress': '127.0.0.1:0', 'peer.fileSystemPath': temporaryDirectory(), ...values }
  return Object.entries(all).reduce((site, [key, value]) => site.with(key, value, 'test'), createSite({ plugins }))
}

/** A peer that logs into `lines`. */
export function testPeer(plugins: readonly Plugin[], values: Record<string, unknown> = {}, options: PeerOptions = {}) {
  const lines: string[] = []
  const logging = createLogging({ spec: 'debug', stream: { write: (line: string) => lines.push(line) } })
  return { peer: new Peer(testSite(plugins, values), { logging, ...options }), lines }
}
