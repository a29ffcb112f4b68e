import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { PeerError, messageOf } from '../../kernel/index.js'
import { ownPackage } from './own-package.js'
import { importNative, loadTypeScript } from './typescript.js'

/** A configuration file's raw content. */
export interface FoundFile {
  readonly file: string
  readonly content: unknown
}

const ENDINGS = ['ts', 'mts', 'js', 'mjs', 'json', 'yaml', 'yml']
const PLACES = [...ENDINGS.map((ending) => `peer.config.${ending}`), '.peerrc', ...ENDINGS.map((ending) => `.peerrc.${ending}`), 'package.json']

/** Loaded only where there is something to read: the packaged default site starts without it. */
async function explorer() {
  const { cosmiconfig } = await import('cosmiconfig')
  const loaders = { '.ts': code, '.mts': code, '.js': code, '.mjs': code }
  return cosmiconfig('peer', { searchPlaces: PLACES, loaders, searchStrategy: 'none', cache: false })
}

async function code(file: string): Promise<unknown> {
  const built = ownPackage().builtSite(file)
  return (await (built === undefined ? loadTypeScript(file) : importNative(built)))['default']
}

/** True for the last directory in which a site is looked for: the home directory, or the top of a repository. */
function isLast(directory: string): boolean {
  return directory === homedir() || existsSync(join(directory, '.git')) || dirname(directory) === directory
}

/**
 * The nearest configuration file, from `cwd` upwards to the top of the repository, the home directory or the root.
 *
 * @throws PeerError ERR_CONFIG_UNREADABLE or ERR_MODULE_LOAD for a file that is there but cannot be read
 */
export async function findFile(cwd: string): Promise<FoundFile | undefined> {
  for (let directory = resolve(cwd); ; directory = dirname(directory)) {
    const isWorthReading = PLACES.some((place) => existsSync(join(directory, place)))
    const found = isWorthReading ? await readable(directory, async () => (await explorer()).search(directory)) : null
    if (found !== null) return { file: found.filepath, content: found.config }
    if (isLast(directory)) return undefined
  }
}

/** Reads one configuration file. Throws as {@link findFile}, and if the file does not exist or is empty. */
export async function readFile(file: string): Promise<FoundFile> {
  if (!existsSync(file)) throw new PeerError('ERR_CONFIG_UNREADABLE', `configuration file ${file} does not exist`)
  const found = await readable(file, async () => (await explorer()).load(file))
  return { file, content: found?.config ?? {} }
}

async function readable<T>(where: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    if (cause instanceof PeerError) throw cause
    throw new PeerError('ERR_CONFIG_UNREADABLE', `configuration in ${where} cannot be read: ${messageOf(cause)}`, { cause })
  }
}
