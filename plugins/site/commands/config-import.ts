import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Option } from 'clipanion'
import { PeerCommand, PeerError, declaredKeys, messageOf } from '../../../kernel/index.js'
import { type OldFile, importKeys, withAddresses } from '../core-yaml.js'
import { UNUSED_KEYS } from '../unused-keys.js'
import { writeSiteFile } from '../write-file.js'
import { writeSite } from '../write-site.js'

const LOOPBACK = /^(127\.|localhost:|\[::1\])/

/** `peer config import` */
export class ConfigImportCommand extends PeerCommand {
  static override readonly needsSite = false
  static override paths = [['config', 'import']]
  static override usage = PeerCommand.Usage({
    description: 'Write a peer.config.ts from the core.yaml of a v0.6 peer.',
    details:
      'Takes over the addresses and the values that differ from the defaults, and lists, as comments, what is not used. Environment variables need no import.',
    examples: [
      ['A peer with noops', '$0 config import core.yaml'],
      ['With the settings of its engine', '$0 config import core.yaml --pbft consensus/pbft/config.yaml -o peer.config.ts'],
    ],
  })

  output = Option.String('-o,--output', 'peer.config.ts', { description: 'file to write' })
  pbft = Option.String('--pbft', { description: 'config.yaml of the pbft plugin' })
  noops = Option.String('--noops', { description: 'config.yaml of the noops plugin' })
  force = Option.Boolean('--force', false, { description: 'overwrite the file if it is there' })
  core = Option.String({ name: 'core.yaml' })

  protected async run(): Promise<void> {
    const output = resolve(this.context.cwd, this.output)
    if (existsSync(output) && !this.force)
      throw new PeerError('ERR_SITE_EXISTS', `${output} exists already`, { hint: 'use --force to overwrite it, or -o for another file' })
    const sources: [string, string | undefined][] = [
      ['', this.core],
      ['pbft', this.pbft],
      ['noops', this.noops],
    ]
    const files = await Promise.all(sources.flatMap(([prefix, file]) => (file === undefined ? [] : [this.#read(prefix, file)])))
    const { plugins } = await this.context.defaultSite()
    const keys = withAddresses(importKeys(files, declaredKeys(plugins), new Set(UNUSED_KEYS)))
    await writeSiteFile(
      output,
      writeSite(
        keys,
        sources.flatMap(([, file]) => file ?? []),
        plugins,
      ),
    )
    const named = (fate: string): string[] => keys.filter((imported) => imported.fate === fate).map(({ key }) => key)
    const result = { file: output, set: named('set'), unused: named('unused'), unknown: named('unknown') }
    const listening = String(keys.find(({ key }) => key === 'peer.listenAddress')?.value)
    if (!LOOPBACK.test(listening))
      this.warn(
        `warning: peer.listenAddress is ${listening}, as in v0.6: nothing authenticates callers there, and whoever reaches it can stop the peer and deploy chaincode. Set it to 127.0.0.1:7051, or open it only to a network that you trust.`,
      )
    this.report(
      result,
      `Wrote ${output}: ${result.set.length} values, ${result.unused.length} unused and ${result.unknown.length} unknown settings as comments.\n`,
    )
  }

  async #read(prefix: string, name: string): Promise<OldFile> {
    const file = resolve(this.context.cwd, name)
    try {
      const { defaultLoaders } = await import('cosmiconfig') // for this command alone
      return { prefix, content: defaultLoaders['.yaml'](file, await readFile(file, 'utf8')) }
    } catch (cause) {
      throw new PeerError('ERR_CONFIG_UNREADABLE', `cannot read ${file}: ${messageOf(cause)}`, { cause })
    }
  }
}
