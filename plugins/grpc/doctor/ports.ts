import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { peerKeys } from '../../../kernel/index.js'
import { directoryHolder } from '../../directory/index.js'
import { DoctorCheck, type Finding, type Patient, checkUsage } from '../../doctor/index.js'
import { splitAddress } from '../client-credentials.js'
import { ownerOf, ownerText, type PortOwner, portsOf } from './socket-owner.js'

/** `peer doctor ports`: whether the addresses of the listeners are free, or taken by this very peer. */
export class PortsCheck extends DoctorCheck {
  static override paths = [['doctor', 'ports']]
  static override usage = checkUsage('ports', 'the addresses that the listeners of this site bind')

  async examine({ settings, entries }: Patient): Promise<readonly Finding[]> {
    const pid = directoryHolder(resolve(settings(peerKeys)['peer.fileSystemPath']))
    const own = pid === undefined ? new Set<number>() : portsOf(pid)
    return Promise.all(listenAddresses(entries()).map(({ key, address }) => portFinding(key, address, pid, own)))
  }
}

/** The keys of addresses that something of this site binds; those of what is switched off are left out. */
export function listenAddresses(entries: ReturnType<Patient['entries']>): readonly { readonly key: string; readonly address: string }[] {
  const values = new Map(entries.map(({ key, value }) => [key, value]))
  return entries.flatMap(({ key, value }) => {
    const isListener = key.endsWith('.listenAddress') || /^(rest|metrics|peer\.validator\.events)\.address$/.test(key)
    const section = key.slice(0, key.lastIndexOf('.'))
    if (!isListener || typeof value !== 'string' || !/:\d+$/.test(value) || values.get(`${section}.enabled`) === false) return []
    if (key.startsWith('peer.validator.') && values.get('peer.validator.enabled') === false) return []
    return [{ key, address: value }]
  })
}

async function portFinding(key: string, address: string, pid: number | undefined, own: ReadonlySet<number>): Promise<Finding> {
  const { host, port } = splitAddress(address)
  const details = { key, address }
  if (port > 65_535) return { level: 'failure', found: `${key}: the port of ${address} is out of range`, todo: `set ${key} to a port up to 65535`, details }
  const problem = await bind(host, port)
  if (problem === undefined) return { level: 'ok', found: `${key}: ${address} is free`, details }
  if (problem === 'EADDRINUSE' && own.has(port))
    return { level: 'ok', found: `${key}: ${address} is held by the running peer of this site, process ${pid}`, details }
  if (problem === 'EADDRINUSE') return { level: 'failure', ...takenBy(ownerOf(port), key, address), details }
  const todo = problem === 'EACCES' ? 'use a port above 1023, or give the peer CAP_NET_BIND_SERVICE' : `set ${key} to an address of this machine`
  return { level: 'failure', found: `${key}: ${address} cannot be bound (${problem})`, todo, details }
}

function takenBy(owner: PortOwner | undefined, key: string, address: string): { readonly found: string; readonly todo: string } {
  const { port } = splitAddress(address)
  if (!owner) return { found: `${key}: ${address} is in use by another program`, todo: `find it with \`ss -ltnp 'sport = :${port}'\`, or change ${key}` }
  const site = siteOf(owner.words)
  if (site === undefined) return { found: `${key}: ${address} is in use by another program, ${ownerText(owner)}`, todo: `stop it, or change ${key}` }
  const here = site === '' ? 'the one of another directory' : site
  const config = site === '' ? '' : `, with \`--config ${site}\``
  return {
    found: `${key}: ${address} is in use by the peer of another site, ${here}, process ${owner.pid}`,
    todo: `if that is the peer that you mean, run this command for its site${config}; for two peers at once change ${key}`,
  }
}

/** The site of a peer that runs, by its command line: its file, empty if it found that by itself; undefined: no peer. */
function siteOf(words: readonly string[]): string | undefined {
  const at = words.indexOf('node')
  if (at < 0 || words[at + 1] !== 'start') return undefined
  const named = words.indexOf('--config', at)
  return words.find((word) => word.startsWith('--config='))?.slice('--config='.length) ?? (named < 0 ? '' : (words[named + 1] ?? ''))
}

/** Tries, and lets go at once; the code of what went wrong. */
function bind(host: string, port: number): Promise<string | undefined> {
  return new Promise((done) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message))
    server.listen({ port, exclusive: true, ...(host === '' ? {} : { host }) }, () => server.close(() => done(undefined)))
  })
}
