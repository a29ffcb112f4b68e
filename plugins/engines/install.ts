import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { EngineLoader } from './engine-package.js'
import type { InstalledEngines, InstalledNote } from './installed.js'
import { readArchive } from './packages/archive.js'
import { readManifest } from './packages/manifest.js'
import { codeDigest, ownFiles, type PackageFile } from './packages/own-files.js'

/**
 * Installs an engine from an archive or the folder of its package: only its own files, after its code has loaded and said who it is, in a process of its own.
 *
 * @throws PeerError ERR_ENGINE_PACKAGE, ERR_ENGINE_LOAD, ERR_ENGINE_TWICE
 */
export async function installEngine(
  path: string,
  into: InstalledEngines,
  loader: EngineLoader,
): Promise<InstalledNote & { readonly outcome: 'installed' | 'there' }> {
  const { note, files } = await examine(path, into, loader)
  return { ...note, outcome: await into.add(note, files) }
}

/** As `installEngine`, for several peers: the code is loaded once. */
export async function installEverywhere(path: string, peers: readonly InstalledEngines[], loader: EngineLoader): Promise<InstalledNote> {
  const [first] = peers
  if (!first) throw new RangeError('expected at least one peer to install an engine on')
  const { note, files } = await examine(path, first, loader)
  for (const peer of peers) await peer.add(note, files)
  return note
}

/** Its own files, and what it says of itself. `workshop` lends the place. */
async function examine(
  path: string,
  workshop: InstalledEngines,
  loader: EngineLoader,
): Promise<{ readonly note: InstalledNote; readonly files: readonly PackageFile[] }> {
  const scratch = await workshop.scratch()
  try {
    const isFolder = (await stat(path)).isDirectory()
    if (!isFolder) await write(scratch, await readArchive(path))
    const origin = isFolder ? path : scratch
    const files = await ownFiles(origin, await readManifest(origin))
    // Where only its own files are, as they will lie: what else it needs would be missing on this peer too.
    const alone = join(scratch, '.alone')
    await write(alone, files)
    const manifest = await readManifest(alone)
    const { description } = await loader.load(alone)
    const { name, version } = description
    return { note: { name, version, codeDigest: codeDigest(files), package: { name: manifest.name, version: manifest.version } }, files }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function write(folder: string, files: readonly PackageFile[]): Promise<void> {
  for (const { path, bytes } of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), bytes, { flag: 'wx' })
  }
}
