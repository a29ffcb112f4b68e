import { readFile, stat } from 'node:fs/promises'
import { delimiter, join, resolve } from 'node:path'
import { PeerError, messageOf } from '../../../../kernel/index.js'
import { type BuildSettings, packCar, packGolang, packJava } from '../../peer/packaging/code-package.js'
import { readSourceFiles } from '../../peer/packaging/source-files.js'
import type { CodePackage } from '../../runtime.js'
import { fetchSource, inTemporaryFolder } from './fetch.js'

/** How source of v0.6's languages is found and packaged. */
export interface SourceSettings {
  /** The Go workspaces, as in GOPATH; empty: there is none. */
  readonly goPath: string
  readonly goCommand: string
  readonly fetchLimitMs: number
  /** Without the beginning of the Dockerfile. */
  readonly build: Omit<BuildSettings, 'dockerfile'>
  readonly dockerfiles: { readonly golang: string; readonly java: string; readonly car: string }
}

type Pack = (path: string, input: Uint8Array) => Promise<CodePackage>

/** Of one chaincode, and of a workspace. */
const LIMITS = { maxFiles: 50_000, maxBytes: 256 * 1024 * 1024 }
const REMOTE = /^https?:\/\//
const GIT_URL = /^(https?|git|ssh):\/\/|^git@/

/** Packagers by language (spec/chaincode.md §12.3, §12.4). They throw v0.6's texts for an empty path or no arguments, and what is wrong with the source. */
export function packagers(settings: SourceSettings): { readonly golang: Pack; readonly java: Pack; readonly car: Pack } {
  const { build, dockerfiles } = settings
  return {
    async golang(path, input) {
      const importPath = path.replace(REMOTE, '').replace(/\/+$/, '')
      if (importPath === '') return packGolang('', input, [], [], { ...build, dockerfile: dockerfiles.golang })
      requireInside(importPath)
      const workspace = firstWorkspace(settings.goPath)
      const pack = async (root: string) =>
        packGolang(path, input, await sourcesIn(join(root, 'src', importPath)), await sourcesIn(join(workspace, 'src')), {
          ...build,
          dockerfile: dockerfiles.golang,
        })
      if (!REMOTE.test(path)) return pack(workspace)
      return inTemporaryFolder(async (folder) => {
        await fetchSource({
          file: settings.goCommand,
          args: ['get', '-d', importPath],
          environment: { GOPATH: [folder, settings.goPath].join(delimiter), GO111MODULE: 'off' },
          limitMs: settings.fetchLimitMs,
        })
        return pack(folder)
      })
    },
    async java(path, input) {
      const pack = async (folder: string) => packJava(path, input, await sourcesIn(folder), { ...build, dockerfile: dockerfiles.java })
      if (path === '') return packJava('', input, [], { ...build, dockerfile: dockerfiles.java })
      if (!GIT_URL.test(path)) return pack(resolve(path))
      return inTemporaryFolder(async (folder) => {
        await fetchSource({ file: 'git', args: ['clone', '--quiet', '--', path, folder], environment: {}, limitMs: settings.fetchLimitMs })
        return pack(folder)
      })
    },
    async car(path, input) {
      const archive = path === '' ? new Uint8Array(0) : await readArchive(resolve(path))
      return packCar(path, input, archive, { ...build, dockerfile: dockerfiles.car })
    },
  }
}

function firstWorkspace(goPath: string): string {
  const first = goPath.split(delimiter).find((folder) => folder !== '')
  if (first !== undefined) return resolve(first)
  throw new PeerError('ERR_CHAINCODE_PACKAGE', 'GOPATH is not set: it names the workspace that holds Go chaincode and the v0.6 shim', {
    hint: 'set chaincode.golang.gopath, or GOPATH in the environment of the peer',
  })
}

/** An import path stays below the workspace: a client must not read other folders of this machine. */
function requireInside(importPath: string): void {
  if (importPath.startsWith('/') || importPath.split('/').some((word) => word === '' || word === '.' || word === '..')) {
    throw new PeerError(
      'ERR_CHAINCODE_PACKAGE',
      `expected an import path such as github.com/owner/chaincode, found ${JSON.stringify(importPath.slice(0, 200))}`,
    )
  }
}

async function sourcesIn(folder: string) {
  try {
    return await readSourceFiles(folder, LIMITS)
  } catch (cause) {
    throw cause instanceof PeerError ? cause : absent(cause)
  }
}

async function readArchive(file: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(file)
    if (size > LIMITS.maxBytes) throw new PeerError('ERR_CHAINCODE_PACKAGE', `${file} has ${size} bytes, more than ${LIMITS.maxBytes}`)
    return await readFile(file)
  } catch (cause) {
    throw cause instanceof PeerError ? cause : absent(cause)
  }
}

function absent(cause: unknown): PeerError {
  return new PeerError('ERR_CHAINCODE_PACKAGE', `code does not exist: ${messageOf(cause)}`, { cause })
}
