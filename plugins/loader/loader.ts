import { dirname, extname, isAbsolute, resolve } from 'node:path'
import { PeerError, type SiteLoader, type SiteSource } from '../../kernel/index.js'
import { findFile, type FoundFile, readFile } from './find.js'
import { isOwn, ownPackage } from './own-package.js'
import { importNative, loadTypeScript, resolvePackage } from './typescript.js'

/** Reads sites from files. `weft/...` always means this very package, wherever the site lies. */
export const loader: SiteLoader = Object.freeze<SiteLoader>({
  async read(cwd, file) {
    const found = file === undefined ? await findFile(cwd) : await readFile(resolve(cwd, file))
    return found === undefined ? [] : readChain(found)
  },
  /** Files of the site are read afresh; packages and Weft's own modules are the running ones. */
  async load(reference, file) {
    const target = await locate(reference, file)
    const running = ownPackage().running(target)
    if (running !== undefined) return importNative(running)
    return isPath(reference) && /^\.[cm]?[jt]s$/.test(extname(target)) ? loadTypeScript(target) : importNative(target)
  },
})

/** A file and the bases that it extends, strongest first. Throws ERR_CONFIG_CYCLE with the whole circle. */
async function readChain(found: FoundFile): Promise<readonly SiteSource[]> {
  const chain: SiteSource[] = []
  for (let next = found; ; ) {
    const { file } = next
    if (chain.some((earlier) => earlier.file === file)) {
      throw new PeerError('ERR_CONFIG_CYCLE', `extends goes in a circle: ${[...chain.map((earlier) => earlier.file), file].join(' -> ')}`)
    }
    const content = checkContent(next)
    chain.push({ file, content })
    const base = content['extends']
    if (base === undefined || base === null) return chain
    if (typeof base !== 'string') throw new PeerError('ERR_CONFIG_INVALID', `extends in ${file}: expected a path or module name, found ${typeof base}`)
    const target = await locate(base, file)
    const isPackaged = target === ownPackage().entry('weft/peer.config')
    next = isPackaged ? { file: target, content: (await importNative(target))['default'] } : await readFile(target)
  }
}

function checkContent({ file, content }: FoundFile): Readonly<Record<string, unknown>> {
  if (typeof content === 'object' && content !== null && !Array.isArray(content)) return { ...content }
  const wanted = `expected sections of keys${content === undefined ? ' as the default export' : ''}`
  throw new PeerError('ERR_CONFIG_INVALID', `${file}: ${wanted}, found ${Array.isArray(content) ? 'a list' : typeof content}`)
}

/** True for `./x`, `../x` and absolute paths; everything else names a module. */
function isPath(reference: string): boolean {
  return isAbsolute(reference) || /^\.\.?[\\/]/.test(reference)
}

/** The file that a path or a module name in `file` stands for. Throws ERR_MODULE_UNKNOWN naming both. */
async function locate(reference: string, file: string): Promise<string> {
  if (isPath(reference)) return resolve(dirname(file), reference)
  if (isOwn(reference)) return ownPackage().entry(reference)
  const found = await resolvePackage(reference, dirname(file))
  if (found !== undefined) return found
  throw new PeerError('ERR_MODULE_UNKNOWN', `${file} names ${reference}, which is not installed there`, {
    hint: `install it beside ${file}, or write a path that begins with ./`,
    details: { file, reference },
  })
}
