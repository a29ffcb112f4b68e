import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { expect, onTestFinished, test } from 'vitest'
import { openLevelStore, storeDirectory } from '../../plugins/level/index.js'
import {
  ConsensusToolsService,
  encode,
  EpochRecord,
  ExportReply,
  LedgerToolsService,
  RecoveryReport,
  SuccessionReport,
  SwapProposal,
} from '../../proto/index.js'
import { temporaryDirectory } from './support/peer.js'
import { freePorts } from './support/ports.js'
import { type Ended, Program, runProgram } from './support/program.js'
import { processesBelow } from './support/processes.js'

const SIGNALS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const

/** A validator whose swaps and recoveries never end. */
async function patientValidator(): Promise<{ readonly address: string; readonly asked: string[] }> {
  const asked: string[] = []
  const record = EpochRecord.fromPartial({ engine: 'pbft', version: '1.0.0', members: ['vp0'] })
  const proposal = SwapProposal.fromPartial({ engine: 'raft', version: '1.0.0', options: '{}', members: ['vp0'] })
  const answers = {
    planSwap: () => ({ proposal: encode(SwapProposal, proposal), rows: [], objection: '', needed: 0 }),
    proposeSwap: () => ({ block: 7n, error: '' }),
    succession: () => SuccessionReport.fromPartial({ record, candidate: { proposal, preparedIn: 7n } }),
    recover: () => RecoveryReport.fromPartial({ state: 'waits for the statements of vp1' }),
    recovery: () => RecoveryReport.fromPartial({ state: 'waits for the statements of vp1' }),
  }
  const server = new Server()
  const handlers = Object.entries(answers).map(([name, answer]) => [
    name,
    (_call: unknown, reply: (error: null, value: unknown) => void) => {
      asked.push(name)
      reply(null, answer())
    },
  ])
  const definition = Object.fromEntries(Object.entries(ConsensusToolsService).filter(([name]) => name in answers))
  server.addService(definition, Object.fromEntries(handlers))
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
  )
  onTestFinished(() => server.forceShutdown())
  return { address: `127.0.0.1:${port}`, asked }
}

test('a swap and a recovery that are interrupted say that they go on, and have the exit code of the signal', { timeout: 120_000 }, async () => {
  const { address, asked } = await patientValidator()
  const run = async (words: readonly string[], isWaiting: () => boolean, signal: NodeJS.Signals): Promise<Ended> => {
    asked.length = 0
    const program = new Program(['consensus', ...words, '--set', `peer.address=${address}`], { cwd: temporaryDirectory() })
    await program.until('it waits', isWaiting)
    program.signal(signal)
    return program.ended
  }
  const follows = (): boolean => asked.filter((name) => name === 'succession').length > 1
  for (const [signal, code] of SIGNALS) {
    const ended = await run(['swap', 'raft'], follows, signal)
    expect(ended).toMatchObject({ code, signal: null, stdout: '' })
    expect(ended.stderr).toMatch(
      /Error: interrupted: the swap goes on without this command\n {2}peer consensus status shows how far it is, peer consensus cancel/,
    )
  }
  const json = await run(['swap', 'raft', '--json'], follows, 'SIGTERM')
  expect(json).toMatchObject({ code: 143, stdout: '' })
  expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: 'ERR_INTERRUPTED', message: 'interrupted: the swap goes on without this command' } })
  const recovery = await run(['recover', 'raft'], () => asked.includes('recovery'), 'SIGINT')
  expect(recovery).toMatchObject({ code: 130, signal: null, stdout: '' })
  expect(recovery.stderr).toMatch(/interrupted: the recovery goes on without this command\n {2}peer consensus recover --status/)
})

test('a devnet whose start is interrupted leaves no process, however early that is', { timeout: 120_000 }, async () => {
  const directory = temporaryDirectory()
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const program = new Program(['devnet', 'up', '--port', String(await freePorts(40))], { cwd: directory })
  await program.until('the first peer is a process', () => processesBelow(program.pid).length > 0)
  program.signal('SIGTERM')
  const ended = await program.ended
  expect(ended).toMatchObject({ code: 143, signal: null, stdout: '', stderr: 'Error: interrupted: what this command had started is stopped again\n' })
  expect(peersOf(directory), 'no peer is left').toEqual([])
})

test('checks of an engine that are interrupted have the exit code of the signal, and leave no process', { timeout: 120_000 }, async () => {
  const directory = temporaryDirectory()
  const promises = 'agreement: false, tolerates: () => ({ crashed: 0, byzantine: 0 }), parseOptions: () => ({})'
  const code = `export default defineEngine({ name: 'endless', version: '1.0.0', ${promises}, create: () => ({ onRequest() { for (;;) {} } }) })`
  writeFileSync(join(directory, 'engine.ts'), `import { defineEngine } from 'weft/consensus'\n${code}\n`)
  for (const [signal, exit] of SIGNALS) {
    const program = new Program(['engine', 'check', 'engine.ts', '--only', 'conformance'], { cwd: directory })
    const checking = (): readonly number[] => processesBelow(program.pid).flatMap(({ pid, command }) => (command.includes('--lines') ? [pid] : []))
    await program.until('another process checks', () => checking().length > 0)
    const left = checking()
    program.signal(signal)
    expect(await program.ended).toMatchObject({ code: exit, signal: null, stdout: '', stderr: 'Error: interrupted: the checks are not finished\n' })
    expect(left.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([])
  }
})

test('an export that is interrupted leaves no file', { timeout: 120_000 }, async () => {
  const directory = temporaryDirectory()
  const data = join(directory, 'data')
  // As by a peer that runs on it.
  const store = await openLevelStore(storeDirectory(data))
  onTestFinished(() => store.close())
  const server = new Server()
  server.addService(
    { export: LedgerToolsService.export },
    { export: (call: { write(reply: ExportReply): void }) => call.write(ExportReply.fromPartial({ bytes: Buffer.from('half') })) },
  )
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
  )
  onTestFinished(() => server.forceShutdown())
  const set = ['--set', `peer.address=127.0.0.1:${port}`, '--set', `peer.fileSystemPath=${data}`]
  const program = new Program(['ledger', 'export', 'chain.weft', ...set], { cwd: directory })
  await program.until('a part is written', () => existsSync(join(directory, 'chain.weft.part')))
  program.signal('SIGINT')
  expect(await program.ended).toMatchObject({ code: 130, signal: null, stdout: '', stderr: 'Error: interrupted: no file was written\n' })
  expect(readdirSync(directory)).toEqual(['data'])
})

test('the development of an engine that is interrupted at its start takes its network down', { timeout: 120_000 }, async () => {
  const directory = temporaryDirectory()
  expect(await runProgram(['engine', 'new', 'mine'], { cwd: directory })).toMatchObject({ code: 0 })
  const program = new Program(['engine', 'dev', 'mine', '--dir', 'weft-devnet', '--port', String(await freePorts(40))], { cwd: directory })
  await program.until('the first peer is a process', () => processesBelow(program.pid).length > 0)
  program.signal('SIGTERM')
  expect(await program.ended).toMatchObject({ code: 143, signal: null, stdout: '' })
  expect(peersOf(directory), 'no peer is left').toEqual([])
})

test('a devnet that lost files of a validator gets them back, and one that cannot be written leaves nothing', { timeout: 120_000 }, async () => {
  const directory = temporaryDirectory()
  const cleanUp = async (): Promise<void> => {
    await runProgram(['devnet', 'down', '--wipe'], { cwd: directory })
    rmSync(directory, { recursive: true, force: true })
  }
  onTestFinished(cleanUp)
  const one = ['devnet', 'up', '--validators', '1', '--engine', 'noops', '--port', String(await freePorts(10))]
  expect(await runProgram(one, { cwd: directory })).toMatchObject({ code: 0 })
  expect(await runProgram(['devnet', 'down'], { cwd: directory })).toMatchObject({ code: 0 })
  rmSync(join(directory, 'weft-devnet/vp0'), { recursive: true })
  const again = await runProgram(['devnet', 'up'], { cwd: directory })
  expect(again, again.stderr).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^vp0 had lost its configuration: .*vp0\/peer\.config\.yaml is written again\n/),
  })

  for (const [signal, code] of SIGNALS) {
    const logs = new Program(['devnet', 'logs', '--follow'], { cwd: directory })
    await logs.until('lines are there', () => logs.stdout !== '')
    logs.signal(signal)
    // Ctrl-C is how it ends.
    expect(await logs.ended).toMatchObject({ code: signal === 'SIGINT' ? 0 : code, signal: null, stderr: '' })
  }

  writeFileSync(join(directory, 'file'), '')
  const blocked = await runProgram(['devnet', 'up', '--dir', 'file/below', '--port', String(await freePorts(40)), '--json'], { cwd: directory })
  expect(blocked).toMatchObject({ code: 1, stdout: '' })
  expect(JSON.parse(blocked.stderr)).toMatchObject({ error: { code: 'ERR_DEVNET_WRITE' } })
  expect(readdirSync(directory).sort()).toEqual(['file', 'weft-devnet'])
})

test('in a directory that is gone, every command says so', async () => {
  const directory = temporaryDirectory()
  const gone = ['bash', '-c', 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', 'bash']
  const ended = await runProgram(['version', '--json'], { cwd: directory, through: gone })
  expect(ended).toMatchObject({ code: 1, stdout: '' })
  expect(JSON.parse(ended.stderr)).toMatchObject({ error: { code: 'ERR_DIRECTORY_GONE' } })
})

test('a configuration file that cannot be written to its end is not there', async () => {
  const directory = temporaryDirectory()
  const ended = await runProgram(['init'], { cwd: directory, through: ['prlimit', '--fsize=100'] })
  expect(ended).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^Error: cannot write .*peer\.config\.ts: /) })
  expect(readdirSync(directory)).toEqual([])
})

/** Peers of a devnet that run, by the files that they hold. */
function peersOf(directory: string): string[] {
  return ['vp0', 'vp1', 'vp2', 'vp3'].filter((id) => existsSync(join(directory, 'weft-devnet', id, 'data/peer.pid')))
}
