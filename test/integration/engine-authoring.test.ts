import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { temporaryDirectory } from './support/peer.js'
import { freePorts } from './support/ports.js'
import { Program, ROOT, runProgram } from './support/program.js'

// In real time, on a busy machine.
vi.setConfig({ testTimeout: 240_000 })

const run = promisify(execFile)

/** What `npm install` would bring, from this checkout. */
function installed(directory: string): void {
  for (const name of ['tsup', 'typescript', 'vitest', '@types/node']) {
    const place = join(directory, 'node_modules', name)
    mkdirSync(dirname(place), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules', name), place)
  }
  symlinkSync(ROOT, join(directory, 'node_modules', 'weft'))
}

// Its own tests run in docs/guides/write-an-engine.md.
test('a new engine has true types, is built, and has a report card without a failure', async () => {
  const cwd = temporaryDirectory()
  expect(await runProgram(['engine', 'new', 'my-engine'], { cwd })).toMatchObject({ code: 0, stderr: '' })
  const directory = join(cwd, 'my-engine')
  expect(await runProgram(['engine', 'check', 'my-engine'], { cwd })).toMatchObject({ code: 1, stderr: expect.stringContaining('build it first') })
  installed(directory)
  const bin = (name: string, file: string, ...args: readonly string[]): Promise<unknown> =>
    run(process.execPath, [join(directory, 'node_modules', name, file), ...args], { cwd: directory })
  await bin('typescript', 'bin/tsc', '-p', 'tsconfig.json', '--noEmit')
  await bin('tsup', 'dist/cli-default.js', 'src/index.ts', '--format', 'esm', '--target', 'node20', '--clean')
  await bin('typescript', 'bin/tsc', '-p', 'tsconfig.build.json')
  const { code, stdout, stderr } = await runProgram(['engine', 'check', 'my-engine', '--seeds', '1', '--json'], { cwd })
  const { findings, ...card }: { findings: { verdict: string }[] } = JSON.parse(stdout)
  expect({ code, stderr, failed: findings.filter(({ verdict }) => verdict === 'failed') }).toEqual({ code: 0, stderr: '', failed: [] })
  expect(card).toMatchObject({ engine: 'my-engine', version: '1.0.0', package: 'weft-engine-my-engine', exitCode: 0 })
})

test('saving a file of an engine swaps it in on the validators of a devnet, which goes down with the command', async () => {
  const cwd = temporaryDirectory()
  await runProgram(['engine', 'new', 'my-engine'], { cwd })
  const port = await freePorts(20)
  const args = ['engine', 'dev', 'my-engine', '--dir', 'net', '--json', '--timeout', '90']
  const events = (text: string): Record<string, unknown>[] =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
  const once = await runProgram([...args, '--validators', '2', '--port', String(port), '--once'], { cwd })
  expect(once, once.stderr).toMatchObject({ code: 0, stderr: '' })
  expect(events(once.stdout)).toMatchObject([
    { event: 'ready', engine: 'pbft' },
    { event: 'swapped', version: '1.0.0-dev.1', epoch: 1 },
  ])

  const dev = new Program(args, { cwd })
  onTestFinished(async () => {
    if (dev.isRunning) dev.signal('SIGTERM')
    await dev.ended
  })
  const swapped = (version: string) => () => dev.stdout.includes(`"version":"${version}"`)
  await dev.until('its code is swapped in again', swapped('1.0.0-dev.2'))
  const file = join(cwd, 'my-engine/src/index.ts')
  writeFileSync(`${file}.tmp`, `${readFileSync(file, 'utf8')}\nexport const saved = true\n`)
  renameSync(`${file}.tmp`, file)
  await dev.until('what was saved is swapped in', swapped('1.0.0-dev.3'))
  expect(readdirSync(join(cwd, 'net/vp1/data/engines')).filter((name) => name.includes('@'))).toEqual(['my-engine@1.0.0-dev.2', 'my-engine@1.0.0-dev.3'])
  dev.signal('SIGINT')
  expect(await dev.ended).toMatchObject({ code: 0, stderr: '' })
  const { stdout } = await runProgram(['devnet', 'status', '--dir', 'net', '--json'], { cwd })
  expect(JSON.parse(stdout)).toMatchObject({ peers: [{ state: 'stopped' }, { state: 'stopped' }] })

  const hungUp = new Program(args, { cwd })
  await hungUp.until('its network is ready', () => hungUp.stdout.includes('"ready"'))
  hungUp.signal('SIGHUP')
  expect(await hungUp.ended).toMatchObject({ code: 129, stderr: '' })
})

describe('the report card of an engine that does to its process what it must not', () => {
  const engine = (body: string): string => {
    const file = join(temporaryDirectory(), 'engine.ts')
    const promises = `agreement: false, tolerates: () => ({ crashed: 0, byzantine: 0 }), parseOptions: (raw: unknown) => raw`
    writeFileSync(
      file,
      `import { defineEngine } from 'weft/consensus'\nexport default defineEngine({ name: 'rude', version: '1.0.0', ${promises}, create: (host: any) => ({ onRequest() { ${body} } }) })\n`,
    )
    return file
  }

  test.each([
    ['loops for ever', 'for (;;) {}', 7, "the engine does not return: its 'onRequest' has run for 1 s (seed 1 of 1 validators)"],
    ['ends the process', 'process.exit(0)', 7, 'ended its process'],
    [
      'goes on behind its handler',
      'void Promise.resolve().then(() => host.now)',
      5,
      /what a handler had left behind.*host\.now was read outside the engine's handlers: .* at .*engine\.ts/,
    ],
    ['leaves timers', 'setInterval(() => undefined, 1000)', 5, 'setInterval in onRequest'],
  ] as const)('says that it %s', async (_, body, code, found) => {
    const file = engine(body)
    const ended = await runProgram(['engine', 'check', file, '--only', 'conformance,determinism', '--seeds', '1', '--markdown'], {
      cwd: dirname(file),
      env: { WEFT_KIT_HANDLER_SECONDS: '1' },
    })
    expect(ended).toMatchObject({ code, stdout: expect.stringMatching(/^## Report card/) })
    expect(ended.stdout).toMatch(found)
  })
})
