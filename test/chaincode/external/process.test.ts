import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../kernel/index.js'
import { createProcessLauncher } from '../../../plugins/chaincode/external/process/launcher.js'
import { packagers } from '../../../plugins/chaincode/external/source/pack.js'
import { chooseSandbox } from '../../../plugins/sandbox/index.js'
import {
  ChaincodeDeploymentSpec,
  ChaincodeDeploymentSpec_ExecutionEnvironment,
  ChaincodeSpec_Type,
  ChaincodeInput,
  Transaction_Type,
  encode,
} from '../../../proto/index.js'
import { bench, invoke, ordered, query, specOf, text, transactionOf } from '../peer/kit.js'
import { keepingLog } from '../node/quiet-log.js'
import { IMPORT_PATH, goLikeWorkspace } from './go-like.js'

const MIB = 1024 * 1024
const ARGS = ['init', 'a', '100', 'b', '200'].map((arg) => Buffer.from(arg))
let root: string
let workspace: Awaited<ReturnType<typeof goLikeWorkspace>>
const log = keepingLog()

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'weft-go-'))
  workspace = await goLikeWorkspace(root)
})

afterAll(() => rmSync(root, { recursive: true, force: true }))

function launcherIn(folder: string, sandbox: 'auto' | 'unshare' | 'none' = 'auto') {
  const pack = packagers({
    goPath: workspace.goPath,
    goCommand: workspace.go,
    fetchLimitMs: 5000,
    build: { architecture: 'amd64', projectVersion: '0.6.1' },
    dockerfiles: { golang: 'FROM base\n', java: 'FROM base\n', car: 'FROM base\n' },
  })
  return createProcessLauncher({
    pack: pack.golang,
    log,
    clock: systemClock,
    sandbox,
    folder: join(root, folder),
    goCommand: workspace.go,
    goPath: '',
    memoryBytes: 512 * MIB,
    buildMemoryBytes: 512 * MIB,
    keepaliveMs: 0,
    registerTimeoutMs: 30_000,
  })
}

/** A deploy of Go chaincode as the peer that accepts it makes it. */
async function deployOf(launcher: ReturnType<typeof launcherIn>, path = IMPORT_PATH, args: readonly Uint8Array[] = ARGS) {
  const input = encode(ChaincodeInput, { args: [...args] })
  const { name, bytes } = await launcher.pack(IMPORT_PATH, input)
  const chaincodeSpec = specOf(name, args, { type: ChaincodeSpec_Type.GOLANG, chaincodeID: { path, name } })
  const payload = encode(ChaincodeDeploymentSpec, {
    chaincodeSpec,
    effectiveDate: undefined,
    codePackage: bytes,
    execEnv: ChaincodeDeploymentSpec_ExecutionEnvironment.DOCKER,
  })
  return { name, transaction: ordered(transactionOf(Transaction_Type.CHAINCODE_DEPLOY, name, name, payload)) }
}

const sandboxes: ('auto' | 'unshare' | 'none')[] = ['none', 'auto', 'unshare']

describe.each(sandboxes)('Go chaincode as a process (%s)', (sandbox) => {
  it('is packaged, built once, started, called, ended and started anew', async (context) => {
    if (sandbox !== 'none') {
      const found = await chooseSandbox(sandbox, { memoryBytes: 512 * MIB }).catch(() => undefined)
      if (found === undefined) return context.skip('this machine has no such sandbox')
    }
    const launcher = launcherIn(`kept-${sandbox}`, sandbox)
    const kit = bench({}, { launcher: 'process' }, { launchers: [launcher], clock: systemClock })
    const { name, transaction } = await deployOf(launcher)
    const [deployed] = await kit.block(transaction)
    expect(deployed?.result.error, log.lines.join('\n')).toBeUndefined()
    const [moved] = await kit.block(invoke(name, 't1', 'invoke', 'a', 'b', '10'))
    expect(moved?.result.error).toBeUndefined()
    expect(text(await kit.peer.query(query(name, 'q1', 'query', 'b')))).toBe('210')
    await kit.peer.stop('the test ends it')
    expect(text(await kit.peer.query(query(name, 'q2', 'query', 'a')))).toBe('90')
    expect(readdirSync(join(root, `kept-${sandbox}`))).toHaveLength(1)
    await kit.peer.stop('the end')
    return undefined
  })
})

describe('the build of Go chaincode', () => {
  it('fails the deploy with what the compiler printed', async () => {
    const launcher = launcherIn('broken')
    const kit = bench({}, { launcher: 'process' }, { launchers: [launcher], clock: systemClock })
    const { transaction } = await deployOf(launcher, 'example.com/owner/missing')
    const [failed] = await kit.block(transaction)
    expect(failed?.result.error).toMatch(
      /Error starting container: the chaincode does not build \(exit code 1\): cannot find package "example.com\/owner\/missing"/,
    )
    expect(readdirSync(join(root, 'broken'))).toEqual([])
  })

  it('sees neither this machine nor a network', async (context) => {
    if ((await chooseSandbox('auto', { memoryBytes: 512 * MIB }).catch(() => undefined)) === undefined) return context.skip('this machine has no sandbox')
    const launcher = launcherIn('probe')
    const kit = bench({}, { launcher: 'process' }, { launchers: [launcher], clock: systemClock })
    const { transaction } = await deployOf(launcher, 'example.com/owner/probe')
    const [failed] = await kit.block(transaction)
    expect(failed?.result.error).toMatch(/\/home.*No such file/)
    expect(failed?.result.error).toMatch(/\/root.*No such file/)
    expect(failed?.result.error).toMatch(/\/etc.*No such file/)
    expect(failed?.result.error).toMatch(/network: cat: .*No such file/)
    return undefined
  })

  it('refuses packages that hold anything but files and folders below them', async () => {
    const launcher = launcherIn('hostile')
    const facts = { path: IMPORT_PATH, isDeploy: true, signal: new AbortController().signal }
    await expect(launcher.launch('cc', Buffer.from('no archive'), facts)).rejects.toMatchObject({ code: 'ERR_CHAINCODE_PACKAGE' })
    for (const entry of [
      { path: '../escaped', type: 'File' },
      { path: '/etc/escaped', type: 'File' },
      { path: 'src/link', type: 'SymbolicLink' },
      { path: 'src/device', type: 'CharacterDevice' },
    ] as const) {
      await expect(launcher.launch('cc', archiveOf(entry), facts), entry.path).rejects.toMatchObject({ code: 'ERR_CHAINCODE_PACKAGE' })
    }
  })

  it('is given up when nobody waits any more', async () => {
    const launcher = launcherIn('late')
    const { transaction } = await deployOf(launcher)
    const abort = new AbortController()
    abort.abort()
    const input = encode(ChaincodeInput, { args: ARGS })
    const { bytes } = await launcher.pack(IMPORT_PATH, input)
    await expect(launcher.launch(transaction.transaction.txid, bytes, { path: IMPORT_PATH, isDeploy: true, signal: abort.signal })).rejects.toMatchObject({
      code: 'ERR_CHAINCODE_LAUNCH',
    })
  })
})

/** A tar of one header. */
function archiveOf({ path, type }: { readonly path: string; readonly type: 'File' | 'SymbolicLink' | 'CharacterDevice' }): Uint8Array {
  const block = Buffer.alloc(512)
  block.write(path, 0, 'latin1')
  block.write('0000644\0', 100, 'latin1')
  block.write('0000000\0', 108, 'latin1')
  block.write('0000000\0', 116, 'latin1')
  block.write('00000000000\0', 124, 'latin1')
  block.write('00000000000\0', 136, 'latin1')
  block.fill(' ', 148, 156)
  block.write({ File: '0', SymbolicLink: '2', CharacterDevice: '3' }[type], 156, 'latin1')
  if (type === 'SymbolicLink') block.write('/etc/passwd', 157, 'latin1')
  block.write('ustar\u000000', 257, 'latin1')
  block.write(
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
    'latin1',
  )
  return Buffer.concat([block, Buffer.alloc(1024)])
}
