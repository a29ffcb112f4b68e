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
  const scratch = await into.scratch()
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
    const note = { name, version, codeDigest: codeDigest(files), package: { name: manifest.name, version: manifest.version } }
    return { ...note, outcome: await into.add(note, files) }
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
