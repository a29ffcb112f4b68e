import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, PeerError } from '../../kernel/index.js'
import { ownPackage } from '../loader/index.js'
import type { EngineLoader, LoadedPackage } from './engine-package.js'
import type { InstalledEngines, InstalledNote } from './installed.js'
import { readArchive } from './packages/archive.js'
import { entryOf, type PackageManifest, readManifest } from './packages/manifest.js'
import { codeDigest, ownFiles, type PackageFile } from './packages/own-files.js'
import { judgeVersions, judgeWeftRange } from './packages/weft-range.js'
import { writePackage } from './packages/write-package.js'
import { optionsJson } from './process/process-seat.js'

/** What became of an installation. */
export interface Installed {
  readonly note: InstalledNote
  /** What its author should mend, for the operator to know. */
  readonly warnings: readonly string[]
  /** Of each peer, in their order. */
  readonly outcomes: readonly ('installed' | 'there')[]
}

/**
 * Installs an engine on peers of this machine, from an archive or the folder of its package: only its own files, after its code has loaded and said who it is, once, in
 * a process of its own, and if the package is fit.
 *
 * @throws PeerError ERR_ENGINE_PACKAGE, ERR_ENGINE_LOAD, ERR_ENGINE_TWICE
 */
export async function installEngine(path: string, peers: readonly InstalledEngines[], loader: EngineLoader): Promise<Installed> {
  const [first] = peers
  if (!first) throw new RangeError('expected at least one peer to install an engine on')
  return addEngine(await examineEngine(path, first, loader), peers)
}

/** An engine that is fit to be installed. */
export interface ExaminedEngine extends Pick<Installed, 'note' | 'warnings'> {
  /** Its own. */
  readonly files: readonly PackageFile[]
}

/** The first half of `installEngine`, which changes nothing. `workshop` lends the place. */
export async function examineEngine(path: string, workshop: InstalledEngines, loader: EngineLoader): Promise<ExaminedEngine> {
  const isFolder = await isDirectory(path)
  return workshop.withScratch(async (scratch) => {
    if (!isFolder) await writePackage(scratch, await readArchive(path))
    const origin = isFolder ? path : scratch
    const manifest = await readManifest(origin, path)
    await entryOf(origin, manifest, path)
    const files = await ownFiles(origin, manifest)
    // Where only its own files are, as they will lie: what else it needs would be missing on this peer too.
    const alone = join(scratch, '.alone')
    await writePackage(alone, files)
    await entryOf(alone, manifest, `${path}, of what its package.json lists as files,`)
    const loaded = await loader.load(alone)
    const { name, version } = loaded.description
    const warnings = await requireFit(path, manifest, loaded)
    return { warnings, note: { name, version, codeDigest: codeDigest(files), package: { name: manifest.name, version: manifest.version } }, files }
  })
}

/** The second half. Throws ERR_ENGINE_TWICE. */
export async function addEngine({ note, warnings, files }: ExaminedEngine, peers: readonly InstalledEngines[]): Promise<Installed> {
  const outcomes: Installed['outcomes'][number][] = []
  for (const peer of peers) outcomes.push(await peer.add(note, files))
  return { note, warnings, outcomes }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (cause) {
    throw new PeerError('ERR_ENGINE_PACKAGE', `expected an archive made by npm pack, or the folder of a package; found nothing at ${path}`, { cause })
  }
}

/** What every validator would stumble over later: the same that `peer engine check` asks of a package. All of it at once; returns what is no obstacle here. */
async function requireFit(path: string, manifest: PackageManifest, { description, checked }: LoadedPackage): Promise<string[]> {
  const versions = judgeVersions(manifest.version, description.version)
  const { fault, absence, doubt } = judgeWeftRange(manifest, ownPackage().version)
  const options = await (checked.get(optionsJson({})) ?? Promise.resolve()).then(
    () => undefined,
    (error: unknown) => `it refuses its own defaults, the options {}: ${messageOf(error)}`,
  )
  const faults = [versions, fault, options].filter((found) => found !== undefined)
  if (faults.length === 0) return [absence, doubt].filter((warning) => warning !== undefined)
  throw new PeerError('ERR_ENGINE_PACKAGE', `${path} is not fit to be installed: ${faults.join('; ')}`, {
    details: { faults },
    hint: 'correct that, build and pack it again; peer engine check, in its folder, looks at everything that a package has to be',
  })
}
