import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PeerError } from '../../kernel/index.js'
import { ownPackage } from '../loader/index.js'
import { isRecord } from '../terminal/index.js'
import type { EngineNames, TemplateOptions } from './names.js'
import { ciText, gitignoreText, readmeText, testText } from './texts.js'

/** A new package is this example under another name, so that what is written is what is tested here. */
const EXAMPLE = 'sequencer'
/** Of the oldest Node that runs Weft. */
const OLDEST_TYPES = '^20.19.0'
/** What is taken from the example; whatever else lies there, an archive of it perhaps, is not. */
const TAKEN = /^(src\/.+\.ts|tsconfig(\.\w+)?\.json)$/

/** The files of a new engine's package: path below its directory, and text. */
export function templateFiles(options: TemplateOptions): ReadonlyMap<string, string> {
  const { names } = options
  const root = join(ownPackage().root, 'examples', 'engines', EXAMPLE)
  const files = new Map<string, string>()
  for (const path of pathsTaken(root)) files.set(renamed(path, names), renamed(readFileSync(join(root, path), 'utf8'), names))
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  files.set('package.json', `${JSON.stringify(newManifest(manifest, options), undefined, 2)}\n`)
  files.set(`test/${names.name}.test.ts`, testText)
  files.set('README.md', readmeText(options))
  files.set('.gitignore', gitignoreText)
  files.set('.github/workflows/test.yml', ciText)
  return files
}

function pathsTaken(root: string): string[] {
  const paths = readdirSync(root, { encoding: 'utf8' }).concat(
    readdirSync(join(root, 'src'), { encoding: 'utf8', recursive: true }).map((path) => `src/${path}`),
  )
  return paths.map((path) => path.replaceAll('\\', '/')).filter((path) => TAKEN.test(path))
}

function newManifest(example: unknown, { names, weft }: TemplateOptions): Record<string, unknown> {
  if (!isRecord(example) || !isRecord(example['devDependencies'])) {
    throw new PeerError('ERR_ENGINE_TEMPLATE', `expected a package.json with devDependencies in the example ${EXAMPLE} of this program`)
  }
  const { private: _private, repository: _repository, ...kept } = example
  const description = `The consensus engine ${names.name} for Weft`
  const devDependencies = { '@types/node': OLDEST_TYPES, ...example['devDependencies'], weft }
  return { engines: { node: '>=20.19' }, ...kept, name: names.packageName, description, devDependencies }
}

/** The example uses its name in texts alone, never for a variable. */
function renamed(text: string, { name, pascal, upper }: EngineNames): string {
  return text.replaceAll(EXAMPLE.toUpperCase(), upper).replaceAll('Sequencer', pascal).replaceAll(EXAMPLE, name)
}
