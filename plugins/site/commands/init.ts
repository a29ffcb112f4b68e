import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Option } from 'clipanion'
import { PeerCommand, PeerError } from '../../../kernel/index.js'
import { siteTemplate } from '../template.js'
import { writeSiteFile } from '../write-file.js'

/** `peer init` */
export class InitCommand extends PeerCommand {
  static override readonly needsSite = false
  static override paths = [['init']]
  static override usage = PeerCommand.Usage({
    description: 'Write a commented peer.config.ts.',
    examples: [
      ['A site in this directory', '$0 init'],
      ['A site in a new directory', '$0 init ./my-site'],
    ],
  })

  force = Option.Boolean('--force', false, { description: 'overwrite a peer.config.ts that is there' })
  directory = Option.String({ name: 'directory', required: false })

  protected async run(): Promise<void> {
    const directory = resolve(this.context.cwd, this.directory ?? '.')
    const file = join(directory, 'peer.config.ts')
    if (existsSync(file) && !this.force) throw new PeerError('ERR_SITE_EXISTS', `${file} exists already`, { hint: 'use --force to overwrite it' })
    const { plugins } = await this.context.defaultSite()
    await writeSiteFile(file, siteTemplate(plugins))
    this.report({ file }, `Wrote ${file}. Start the peer with: peer node start\n`)
  }
}
