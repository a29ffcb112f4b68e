import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PeerError } from '../../kernel/index.js'
import { ownPackage } from '../loader/index.js'
import type { EngineNames } from './names.js'
import { ciText, gitignoreText, readmeText } from './texts.js'

/** A new package is this example under another name, so that what is written is what is tested here. */
const EXAMPLE = 'sequencer'
const LEFT_OUT = new Set(['node_modules', 'dist', 'README.md', 'package.json', 'package-lock.json'])

/** What a new package is made of. */
export interface TemplateOptions {
  readonly names: EngineNames
  /** What its package.json says of weft: a range, or `file:` and a path. */
  readonly weft: string
}

/** The files of a new engine's package: path below its directory, and text. */
export function templateFiles(options: TemplateOptions): ReadonlyMap<string, string> {
  const { names } = options
  const root = join(ownPackage().root, 'examples', 'engines', EXAMPLE)
  const files = new Map<string, string>()
  for (const path of pathsBelow(root, '')) files.set(renamedPath(path, names), renamed(readFileSync(join(root, path), 'utf8'), names, path))
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  files.set('package.json', `${JSON.stringify(newManifest(manifest, options), undefined, 2)}\n`)
  files.set('README.md', readmeText(options))
  files.set('.gitignore', gitignoreText)
  files.set('.github/workflows/test.yml', ciText)
  return files
}

function pathsBelow(root: string, directory: string): string[] {
  return readdirSync(join(root, directory), { withFileTypes: true })
    .filter(({ name }) => !LEFT_OUT.has(name))
    .flatMap((entry) => {
      const path = directory === '' ? entry.name : `${directory}/${entry.name}`
      return entry.isDirectory() ? pathsBelow(root, path) : [path]
    })
}

function newManifest(example: unknown, { names, weft }: TemplateOptions): Record<string, unknown> {
  if (!isRecord(example) || !isRecord(example['devDependencies'])) {
    throw new PeerError('ERR_ENGINE_TEMPLATE', `expected a package.json with devDependencies in the example ${EXAMPLE} of this program`)
  }
  const { private: _private, repository: _repository, ...kept } = example
  return {
    ...kept,
    name: names.packageName,
    description: `The consensus engine ${names.name} for Weft`,
    devDependencies: { ...example['devDependencies'], weft },
  }
}

function renamedPath(path: string, { name }: EngineNames): string {
  return path.replaceAll(EXAMPLE, name)
}

/** In code the name is a variable, unless it stands in quotes, in a path or in a comment. */
function renamed(text: string, names: EngineNames, path: string): string {
  const isCode = /\.[cm]?[jt]s$/.test(path)
  return text
    .split('\n')
    .map((line) => {
      const isComment = /^\s*(\/\/|\/?\*)/.test(line)
      return line
        .replaceAll('SEQUENCER', names.upper)
        .replaceAll('Sequencer', names.pascal)
        .replace(/(['"`/-]?)\bsequencer\b(?=(['"`]|\.[cm]?[jt]s\b|-)?)/g, (_, before: string, after: string | undefined) => {
          const isWord = !isCode || isComment || before !== '' || after !== undefined
          return `${before}${isWord ? names.name : names.camel}`
        })
    })
    .join('\n')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
