import { mkdir, mkdtemp, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { messageOf, PeerError } from '../../kernel/index.js'
import type { PackageFile } from './packages/own-files.js'
import { writePackage } from './packages/write-package.js'

const NOTE = 'engine.json'
const IN_USE = 'in-use.json'
const PACKAGE = 'package'

const noteSchema = z.object({
  name: z.string(),
  version: z.string(),
  codeDigest: z.string(),
  package: z.object({ name: z.string(), version: z.string() }),
})

/** What was noted when an engine was installed. */
export type InstalledNote = z.infer<typeof noteSchema>

/** An engine in the data directory. */
export interface InstalledEngine extends InstalledNote {
  /** Of the package. */
  readonly folder: string
}

/** The engines in a data directory, side by side: `engines/<name>@<version>/` with `package/` and a note. Looked up anew each time: others install meanwhile. */
export class InstalledEngines {
  private readonly root: string

  constructor(dataDirectory: string) {
    this.root = join(dataDirectory, 'engines')
  }

  /** By name and version. Folders that cannot be read are reported to `damaged`. */
  async list(damaged: (folder: string, reason: string) => void = () => undefined): Promise<InstalledEngine[]> {
    const found: InstalledEngine[] = []
    for (const name of await this.folders()) {
      const at = join(this.root, name)
      try {
        const note = noteSchema.parse(JSON.parse(await readFile(join(at, NOTE), 'utf8')))
        found.push({ ...note, folder: join(at, PACKAGE) })
      } catch (error) {
        damaged(at, messageOf(error))
      }
    }
    return found.sort((left, right) => (left.name === right.name ? compareVersions(left.version, right.version) : left.name < right.name ? -1 : 1))
  }

  /** Writes a package beside the others, all of it or nothing. Throws ERR_ENGINE_TWICE if that name and version is there with other code. */
  async add(note: InstalledNote, files: readonly PackageFile[]): Promise<'installed' | 'there'> {
    const same = (await this.list()).find(({ name, version }) => name.toLowerCase() === note.name.toLowerCase() && version === note.version)
    if (same?.codeDigest === note.codeDigest) return 'there'
    if (same) {
      throw new PeerError('ERR_ENGINE_TWICE', `${note.name}@${note.version} is installed with other code: ${same.codeDigest} there, ${note.codeDigest} here`, {
        hint: 'give the new code another version, or remove the installed one first',
      })
    }
    const fresh = join(this.root, `.new-${randomUUID()}`)
    try {
      await writePackage(join(fresh, PACKAGE), files)
      await writeFile(join(fresh, NOTE), `${JSON.stringify(note, undefined, 2)}\n`)
      await rename(fresh, join(this.root, `${note.name}@${note.version}`))
    } finally {
      await rm(fresh, { recursive: true, force: true })
    }
    return 'installed'
  }

  /** Lends an empty folder beside the engines while `work` runs. What had to be made for it, and is empty then, goes too. */
  async withScratch<T>(work: (folder: string) => Promise<T>): Promise<T> {
    const made = await mkdir(this.root, { recursive: true })
    const folder = await mkdtemp(join(this.root, '.scratch-'))
    try {
      return await work(folder)
    } finally {
      await rm(folder, { recursive: true, force: true })
      if (made !== undefined) await removeWhileEmpty(this.root, made)
    }
  }

  /** Throws ERR_ENGINE_UNKNOWN. */
  async remove(name: string, version: string): Promise<void> {
    const found = (await this.list()).find((engine) => engine.name.toLowerCase() === name.toLowerCase() && engine.version === version)
    if (!found) throw new PeerError('ERR_ENGINE_UNKNOWN', `${name}@${version} is not installed in ${this.root}`, { hint: 'peer engine list' })
    // Gone at once, even if deleting takes time or is cut short.
    const going = join(this.root, `.old-${randomUUID()}`)
    await rename(dirname(found.folder), going)
    await rm(going, { recursive: true, force: true })
  }

  /** Notes which engine began last, for those who would remove it. */
  async begun(name: string, version: string): Promise<void> {
    const file = join(this.root, IN_USE)
    await mkdir(this.root, { recursive: true })
    await writeFile(`${file}.new`, JSON.stringify({ name, version }))
    await rename(`${file}.new`, file)
  }

  /** The installed engine that began last on this peer; undefined if there was none. */
  async lastBegun(): Promise<{ readonly name: string; readonly version: string } | undefined> {
    const text = await readFile(join(this.root, IN_USE), 'utf8').catch((error: unknown) => {
      if (isMissing(error)) return undefined
      throw error
    })
    return text === undefined ? undefined : z.object({ name: z.string(), version: z.string() }).parse(JSON.parse(text))
  }

  private async folders(): Promise<string[]> {
    try {
      const entries = await readdir(this.root, { withFileTypes: true })
      return entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name)
    } catch (error) {
      if (isMissing(error)) return []
      throw error
    }
  }
}

/** Removes a folder and those above it, up to `last`, as long as nothing is in them. */
async function removeWhileEmpty(folder: string, last: string): Promise<void> {
  try {
    for (let at = folder; at.length >= last.length; at = dirname(at)) await rmdir(at)
  } catch (error) {
    if (!isMissing(error) && !(error instanceof Error && 'code' in error && error.code === 'ENOTEMPTY')) throw error
  }
}

/** Negative if `left` is the older version. Numbers compare as numbers; a version with a suffix (`1.0.0-rc`) is older than the one without. */
export function compareVersions(left: string, right: string): number {
  const parts = (version: string): string[] => (version.split('+')[0] ?? '').split(/[.-]/)
  const [mine, theirs] = [parts(left), parts(right)]
  for (let index = 0; index < Math.max(mine.length, theirs.length); index++) {
    const [a, b] = [mine[index], theirs[index]]
    if (a === b) continue
    if (a === undefined) return /^\d+$/.test(b ?? '') ? -1 : 1
    if (b === undefined) return /^\d+$/.test(a) ? 1 : -1
    const areNumbers = /^\d+$/.test(a) && /^\d+$/.test(b)
    return areNumbers ? Number(a) - Number(b) : a < b ? -1 : 1
  }
  return 0
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
