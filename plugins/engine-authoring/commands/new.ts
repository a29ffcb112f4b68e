import { existsSync, readdirSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { messageOf, Option, PeerCommand, PeerError } from '../../../kernel/index.js'
import { engineNames } from '../names.js'

/** `peer engine new` */
export class EngineNewCommand extends PeerCommand {
  static override readonly needsSite = false
  static override paths = [['engine', 'new']]
  static override usage = PeerCommand.Usage({
    category: 'Consensus engines',
    description: 'Write the package of a new consensus engine, which works and passes its tests.',
    details:
      'The package holds an engine, its options, a test with the conformance suite, a README and a CI file. It is a correct engine for validators of which none fails: begin by changing its protocol. `weft` in its devDependencies is a link to the program that wrote it; `--weft` names another place: a path, a tarball, or a range of a registry.',
    examples: [
      ['In ./my-engine', '$0 engine new my-engine'],
      ['Elsewhere, with weft from a tarball', '$0 engine new my-engine --dir ../engines/mine --weft ./weft-0.1.0.tgz'],
    ],
  })

  name = Option.String()
  directory = Option.String('--dir', { description: 'directory of the package (default: the name, here)' })
  weft = Option.String('--weft', { description: 'where its package.json finds weft: a path, a tarball or a range (default: this program)' })

  protected async run(): Promise<void> {
    const names = engineNames(this.name)
    const { cwd } = this.context
    const directory = resolve(cwd, this.directory ?? names.name)
    if (existsSync(directory) && !isEmptyDirectory(directory)) {
      throw new PeerError('ERR_ENGINE_EXISTS', `${directory} exists already: nothing is overwritten`, {
        hint: 'choose another name, or another place with --dir',
      })
    }
    const { templateFiles } = await import('../template.js')
    const files = templateFiles({ names, weft: await this.weftOf(directory) })
    for (const [path, text] of files) await write(join(directory, path), text)
    const shown = relative(cwd, directory)
    const place = shown.startsWith('..') || shown === '' ? directory : shown
    const steps = [`cd ${place}`, 'npm install', 'npm test', 'npm run build', 'peer engine check .']
    this.report(
      { name: names.name, package: names.packageName, directory, files: [...files.keys()].sort(), next: steps },
      `Wrote ${files.size} files of ${names.packageName} to ${place}. Next:\n${steps.map((step) => `  ${step}\n`).join('')}The protocol is in ${join(place, 'src')}; docs/guides/write-an-engine.md of weft explains it.\n`,
    )
  }

  /** A path counts from here; in the package it counts from there. */
  private async weftOf(directory: string): Promise<string> {
    const { weft } = this
    if (weft !== undefined && !existsSync(resolve(this.context.cwd, weft))) {
      if (!/^[./]|\.tgz$/.test(weft)) return weft
      throw new PeerError('ERR_ENGINE_WEFT', `--weft: ${resolve(this.context.cwd, weft)} does not exist`)
    }
    const { ownPackage } = await import('../../loader/index.js')
    const target = weft === undefined ? ownPackage().root : resolve(this.context.cwd, weft)
    return `file:${relative(directory, target).split(sep).join('/')}`
  }
}

function isEmptyDirectory(directory: string): boolean {
  try {
    return readdirSync(directory).length === 0
  } catch (cause) {
    throw new PeerError('ERR_ENGINE_EXISTS', `${directory} is no directory that can be written to: ${messageOf(cause)}`, { cause })
  }
}

async function write(file: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text, { flag: 'wx' })
  } catch (cause) {
    throw new PeerError('ERR_ENGINE_WRITE', `cannot write ${file}: ${messageOf(cause)}`, { cause, hint: 'name a place where this user may write' })
  }
}
