import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createNodeLauncher } from '../../../plugins/chaincode/node/index.js'
import { chooseSandbox } from '../../../plugins/sandbox/index.js'
import type { SandboxKind } from '../../../plugins/sandbox/index.js'
import type { ChaincodeRuntime } from '../../../plugins/chaincode/runtime.js'
import { MemoryPeer } from '../api/memory-peer.js'
import { inputOf, withSource } from './packages.js'
import { keepingLog } from './quiet-log.js'
import { MEMORY_BYTES, MESSAGES, rogueProcess, rogueRuntime } from './rogue.js'

const running: ChaincodeRuntime[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((runtime) => runtime.close('the test is over')))
})

const log = keepingLog()
const FACTS = { path: '', isDeploy: true, signal: new AbortController().signal }
const launcher = createNodeLauncher({ log, sandbox: 'none', memoryBytes: MEMORY_BYTES })

/** Deploys source code; its handlers run in a process of their own. */
async function deployed(source: string): Promise<MemoryPeer> {
  const { bytes } = await withSource(source, (file) => launcher.pack(file, inputOf('init')))
  const runtime = await launcher.launch('cc', bytes, FACTS)
  running.push(runtime)
  return new MemoryPeer().add(runtime)
}

const FORBIDDEN: readonly [string, string][] = [
  ['Date.now()', 'the current time is not available'],
  ['new Date().getTime()', 'the current time is not available'],
  ['new (new Date(0).constructor)()', 'the current time is not available'],
  ['Math.random()', 'Math.random is not available'],
  ['crypto.randomUUID()', 'crypto.randomUUID is not available'],
  ['setTimeout(() => {}, 1)', 'setTimeout is not available'],
  ['fetch("http://127.0.0.1")', 'fetch is not available'],
  ['"a".localeCompare("b")', 'localeCompare is not available'],
  ['process.pid', 'process is not defined'],
  ['globalThis.process.binding("fs")', "reading 'binding'"],
  ['globalThis.require("fs")', 'require is not a function'],
  ['Buffer.from("x")', 'Buffer is not defined'],
  ['new WeakRef({})', 'WeakRef is not defined'],
  ['new WebAssembly.Memory({ initial: 60000 })', 'WebAssembly is not defined'],
  ['new SharedArrayBuffer(1)', 'SharedArrayBuffer is not defined'],
  ['eval("1")', 'Code generation from strings disallowed'],
  ['(async () => {}).constructor("return process")()', 'Code generation from strings disallowed'],
  ['await import(["node", "fs"].join(":"))', 'it cannot import node:fs while it runs'],
  ['await import(["data", "text/javascript,1"].join(":"))', 'cannot import data:'],
]

const LOST = { code: 'ERR_CHAINCODE_LOST', retryable: true }

describe('deployed code', () => {
  describe('that depends on what differs between two runs', () => {
    let peer: MemoryPeer
    beforeAll(async () => {
      const handlers = FORBIDDEN.map(([expression]) => `async () => ${expression}`)
      const source = `const tries = [${handlers.join(', ')}]\nexport default { invoke: async (stub, fn) => String(await tries[Number(fn)]()) }`
      const { bytes } = await withSource(source, (file) => launcher.pack(file, inputOf('init')))
      shared = await launcher.launch('cc', bytes, FACTS)
      peer = new MemoryPeer().add(shared)
    })
    let shared: ChaincodeRuntime
    afterAll(() => shared.close('the tests are over'))

    it.each(FORBIDDEN.map(([expression, text], index) => ({ expression, text, index })))('fails at $expression and learns why', async ({ text, index }) => {
      expect((await peer.invoke('cc', [String(index)])).text).toContain(text)
    })
  })

  it('may use what is the same everywhere', async () => {
    const peer = await deployed(
      'export default { invoke: () => [new Date(5).toISOString(), new Date("2020-01-01T00:00:00").getTime(), [3, 1].sort(), atob("eA==")].join() }',
    )
    expect((await peer.invoke('cc', ['x'])).text).toBe('1970-01-01T00:00:00.005Z,1577836800000,1,3,x')
  })

  it('that does not load is refused with its error', async () => {
    await expect(deployed('throw new Error("not today")')).rejects.toMatchObject({
      code: 'ERR_CHAINCODE_LAUNCH',
      message: expect.stringContaining('not today'),
    })
    await expect(deployed('export default 7')).rejects.toThrow('expected an object with init, invoke and query')
    const impatient = createNodeLauncher({ log, sandbox: 'none', startTimeoutMs: 700 })
    const { bytes } = await withSource('for (;;);', (file) => impatient.pack(file, inputOf('init')))
    await expect(impatient.launch('cc', bytes, FACTS)).rejects.toMatchObject({
      code: 'ERR_CHAINCODE_LAUNCH',
      message: expect.stringContaining('it was not ready after 700 ms'),
    })
  })

  it('that loops for ever leaves the peer free, and ends when it is closed', async () => {
    const peer = await deployed('export default { invoke() { for (;;); } }')
    const call = peer.invoke('cc', ['x'])
    const lost = expect(call).rejects.toMatchObject(LOST)
    await running[0]?.close('it took too long')
    await lost
    await expect(peer.invoke('cc', ['x'])).rejects.toMatchObject(LOST)
  })

  it.each([
    ['its heap', 'const all = []; for (;;) all.push({ a: 1, b: [2] })'],
    ['buffers', 'const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1))'],
    ['strings', 'const all = []; for (let i = 0; ; i += 1) all.push(`${i}`.padStart(1 << 20, "é"))'],
  ])('that fills memory with %s does not get it', async (_, hog) => {
    const peer = await deployed(`export default { invoke() { ${hog} } }`)
    const outcome = await peer.invoke('cc', ['x']).then(
      ({ ok, text }) => ({ ok, text }),
      (error: { code: string }) => error.code,
    )
    expect([{ ok: false, text: 'Array buffer allocation failed' }, 'ERR_CHAINCODE_LOST']).toContainEqual(outcome)
  })

  it('that prints without end fills no log', async () => {
    const before = log.lines.length
    const peer = await deployed('export default { invoke() { for (let i = 0; i < 20000; i += 1) console.log("line " + i + "\\nx".repeat(10000)) } }')
    const call = peer.invoke('cc', ['x']).catch(() => undefined)
    await new Promise((resolve) => setTimeout(resolve, 700))
    await running[0]?.close('enough')
    await call
    const lines = log.lines.slice(before)
    expect(lines.length).toBeLessThan(500)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(5000)
  })
})

describe.each(['bwrap', 'unshare'] as const)('a process that broke out of everything but %s', (kind) => {
  const attempt = async (source: string): Promise<unknown> => {
    const usable = await chooseSandbox(kind, { memoryBytes: MEMORY_BYTES }).then(
      () => true,
      (error: unknown) => error,
    )
    if (usable !== true) {
      // Without a sandbox there must be no deployed chaincode, and a message that says what to install.
      expect(usable).toMatchObject({ code: 'ERR_SANDBOX', hint: expect.stringContaining('apt-get install bubblewrap') })
      return undefined
    }
    return run(kind, source)
  }

  it('reaches no file, process or network of this machine', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'weft-store-'))
    const secret = join(folder, 'CURRENT')
    await writeFile(secret, 'secret')
    let reached = 0
    const server = createServer(() => (reached += 1))
    const port = await new Promise<number>((resolve) => server.listen(0, '127.0.0.1', () => resolve(addressOf(server.address()))))
    try {
      const result = await attempt(`
        import fs from 'node:fs'; import net from 'node:net'; import os from 'node:os'
        const tryTo = (work) => { try { return String(work()) } catch (error) { return error.code ?? error.message } }
        const dialled = await new Promise((resolve) => net.connect(${port}, '127.0.0.1', () => resolve('connected')).on('error', ({ code }) => resolve(code)))
        const result = {
          passwd: tryTo(() => fs.readFileSync('/etc/passwd')), store: tryTo(() => fs.readFileSync(${JSON.stringify(secret)})), source: tryTo(() => fs.readdirSync(${JSON.stringify(join(process.cwd(), 'plugins'))})),
          peer: tryTo(() => process.kill(${process.pid}, 0)), proc: tryTo(() => fs.readdirSync('/proc')), written: tryTo(() => fs.writeFileSync('/usr/escape', 'x')), rooted: tryTo(() => fs.mkdirSync('/escape')),
          dialled, networks: Object.values(os.networkInterfaces()).flat().filter(({ internal }) => !internal).length, environment: Object.keys(process.env).sort().join(),
        }
        tell(result)`)
      if (result === undefined) return
      expect(result).toMatchObject({ passwd: 'ENOENT', store: 'ENOENT', source: 'ENOENT', peer: 'ESRCH', proc: 'ENOENT', networks: 0 })
      expect(result).toMatchObject({ written: expect.stringMatching(/^E/), rooted: expect.stringMatching(/^E/), dialled: expect.stringMatching(/^E/) })
      expect(Object.keys(process.env)).toContain('PATH')
      expect(JSON.stringify(result)).not.toContain('HOME')
      expect(reached).toBe(0)
      expect(existsSync('/usr/escape')).toBe(false)
    } finally {
      server.close()
      await rm(folder, { recursive: true })
    }
  })

  it('cannot fork without end, and all it started ends with it', async () => {
    const result = await attempt(`
      import { spawn } from 'node:child_process'
      let failed = 0
      const started = Array.from({ length: 60 }, () => { const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' }); child.on('error', () => (failed += 1)); return child.pid }).filter(Boolean).length
      setTimeout(() => tell({ started, failed }), 200)`)
    if (result === undefined) return
    expect(result).toMatchObject({ started: expect.any(Number) })
    expect(Number(Reflect.get(Object(result), 'started'))).toBeLessThan(50)
  })
})

describe('a sandbox that does not work', () => {
  it('is refused with what to install', async () => {
    const path = process.env.PATH
    const limits = { memoryBytes: 1024 * 1024 } // Too little for any Node.js: no candidate can pass its self-test.
    await expect(chooseSandbox('auto', limits)).rejects.toMatchObject({
      code: 'ERR_SANDBOX',
      message: expect.stringContaining('bwrap: '),
      hint: expect.stringContaining('apt-get install bubblewrap'),
    })
    expect(process.env.PATH).toBe(path)
  })
})

describe('a process that speaks on its pipe', () => {
  const served = async (source: string) => {
    const { runtime, log: rogueLog } = await rogueRuntime(source)
    running.push(runtime)
    await runtime.ready()
    return { peer: new MemoryPeer().add(runtime), log: rogueLog }
  }

  it.each([
    ['garbage', 'raw(Buffer.from([0, 0, 0, 3, 255, 255, 255]))'],
    ['a frame without end', 'raw(Buffer.from([255, 255, 255, 255]))'],
    ['for a transaction that is not its own', `send(${MESSAGES.unknownTransaction})`],
    ['as if it were the peer', `send(${MESSAGES.fromThePeer})`],
    ["a query's answer to a transaction", `send(${MESSAGES.queryCompleted})`],
    ['and closes it', 'pipe.destroy()'],
  ])('%s is stopped, and its call is lost', async (_, answer) => {
    const { peer, log: rogueLog } = await served(`send(${MESSAGES.register}); onCall(() => { ${answer} })`)
    await expect(peer.invoke('cc', ['x'], { txid: 't1' })).rejects.toMatchObject(LOST)
    expect(rogueLog.lines.length).toBeLessThan(10)
  })

  it.each([
    ['an empty value', MESSAGES.putEmpty, 'An empty string key or a nil value is not supported'],
    ['too much', `${MESSAGES.putLong}, ${MESSAGES.putLong}`, 'the chaincode wrote more than 1000 bytes in one transaction'],
  ])('writing %s fails its transaction', async (_, messages, text) => {
    const { peer } = await served(`send(${MESSAGES.register}); onCall(() => send(${messages}, ${MESSAGES.completed}))`)
    const outcome = await peer.invoke('cc', ['x'], { txid: 't1' })
    expect(outcome.ok).toBe(false)
    expect(outcome.text).toContain(text)
    expect(peer.state('cc')).toEqual({})
  })

  it('writing in a query fails the query', async () => {
    const { peer } = await served(`send(${MESSAGES.register}); onCall(() => send(${MESSAGES.put}, ${MESSAGES.queryCompleted}))`)
    expect(await peer.query('cc', ['x'], { txid: 't1' })).toMatchObject({ ok: false, text: 'Cannot handle PUT_STATE in query context' })
  })

  it('asking without reading the answers is not served without end', async () => {
    const { peer } = await served(
      `send(${MESSAGES.register}); onCall(() => { pipe.pause(); const flood = () => { for (let i = 0; i < 1000; i += 1) send(${MESSAGES.get}); setTimeout(flood, 1) }; flood() })`,
    )
    const before = process.memoryUsage().rss
    const call = peer.invoke('cc', ['x'], { txid: 't1' })
    const lost = expect(call).rejects.toMatchObject(LOST)
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024)
    await running[0]?.close('enough')
    await lost
  })

  it('that begins with anything but REGISTER does not start', async () => {
    const { runtime } = await rogueRuntime(`send(${MESSAGES.get})`)
    running.push(runtime)
    await expect(runtime.ready()).rejects.toMatchObject({ code: 'ERR_CHAINCODE_LAUNCH', message: expect.stringContaining('instead of REGISTER') })
  })
})

/** Runs a module in a sandbox and returns what it tells on its pipe. */
async function run(kind: SandboxKind, source: string): Promise<unknown> {
  const prelude = `import { Socket } from 'node:net'; const tell = (value) => { const pipe = new Socket({ fd: 3, readable: false, writable: true }); pipe.write(JSON.stringify(value) + '\\n') }\n`
  const { contained, log: rogueLog } = await rogueProcess(kind, prelude + source)
  try {
    return await Promise.race([
      new Promise((resolve) => contained.pipe.once('data', (chunk: Buffer) => resolve(JSON.parse(chunk.toString())))),
      contained.ended.then((reason) => Promise.reject(new Error(`${reason}; ${rogueLog.lines.join('; ')}`))),
    ])
  } finally {
    contained.kill('the test is over')
    await contained.ended
  }
}

function addressOf(address: ReturnType<ReturnType<typeof createServer>['address']>): number {
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}
