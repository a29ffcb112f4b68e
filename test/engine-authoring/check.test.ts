import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { CheckEvent, Finding } from '../../plugins/engine-authoring/card.js'
import { runPeer } from '../kernel/cli/run-peer.js'

// In real time, on a busy machine.
/** A quiet engine for one validator, with something wrong in it. */
function engineFile({ before = '', create = '', onRequest = '', dispose = '', promises = '' }): string {
  const file = join(mkdtempSync(join(tmpdir(), 'weft-engine-check-')), 'engine.ts')
  writeFileSync(
    file,
    `import { defineEngine } from 'weft/consensus'
    import { randomBytes } from 'node:crypto'
    void randomBytes
    let count = 0
    ${before};
    export default defineEngine({
      name: 'suspect',
      version: '1.0.0',
      agreement: false,
      tolerates: () => ({ crashed: 0, byzantine: 0 }),
      parseOptions: (raw: unknown) => raw,
      ${promises}
      create(host: any) {
        let blocks = 0;
        ${create};
        return {
          onRequest(request: any) {
            ${onRequest};
            host.deliver('block ' + blocks++, [request])
          },
          dispose() {
            ${dispose}
          },
        }
      },
    })`,
  )
  return file
}

async function check(
  file: string,
  ...args: readonly string[]
): Promise<{ readonly findings: readonly Finding[]; readonly stderr: string; readonly exit: number }> {
  const { stdout, stderr, exit } = await runPeer(join(file, '..'), ['engine', 'check', file, '--seeds', '1', '--lines', ...args])
  const events = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): CheckEvent => JSON.parse(line))
  return { findings: events.flatMap((event) => (event.type === 'finding' ? [event.finding] : [])), stderr, exit }
}

const failed = (findings: readonly Finding[]): readonly string[] => findings.filter(({ verdict }) => verdict === 'failed').map(({ detail = '' }) => detail)

describe('peer engine check', () => {
  it('finds nothing wrong with an engine that keeps the contract', async () => {
    const { findings, stderr, exit } = await check(engineFile({}))
    expect({ stderr, exit, failed: failed(findings) }).toEqual({ stderr: '', exit: 0, failed: [] })
    expect(new Set(findings.map(({ part }) => part))).toEqual(new Set(['package', 'promises', 'conformance', 'determinism', 'hostile', 'growth', 'dispose']))
  })

  it.each([
    ['a clock', { onRequest: 'host.log("info", String(Date.now() > 0))' }, 'Date.now in onRequest'],
    ['the present date', { create: 'new Date()' }, 'new Date() in create'],
    ['a clock that it kept when it was loaded', { before: 'const clock = Date.now', onRequest: 'clock()' }, 'Date.now in onRequest'],
    ['randomness', { onRequest: 'Math.random()' }, 'Math.random in onRequest'],
    ['randomness of Node', { onRequest: 'randomBytes(4)' }, 'node:crypto.randomBytes in onRequest'],
    ['another clock', { onRequest: 'performance.now()' }, 'performance.now in onRequest'],
    ['the environment', { onRequest: 'void process.env["HOME"]' }, 'process.env.HOME in onRequest'],
    ['a promise', { onRequest: 'void Promise.resolve(1)' }, 'a promise in onRequest'],
    ['an async function', { onRequest: 'void (async () => {})()' }, 'a promise in onRequest'],
    ['a timer', { onRequest: 'clearTimeout(setTimeout(() => {}, 1))' }, 'setTimeout in onRequest'],
    ['a global variable', { create: '(globalThis as any)["of suspect " + count++] = 1' }, 'a global variable of its own in create'],
  ])('notices %s', async (_, body, what) => {
    const { findings } = await check(engineFile(body), '--only', 'determinism')
    expect(findings[0]).toMatchObject({ verdict: 'failed', kind: 'contract' })
    expect(findings[0]?.detail).toContain(what)
  })

  it('does not take an engine that cannot live for one that keeps the contract', async () => {
    const { findings } = await check(engineFile({ create: 'throw new Error("no")' }), '--only', 'determinism,hostile,dispose')
    expect(findings.every(({ verdict, detail = '' }) => verdict === 'failed' && detail.includes("the engine threw in 'create'"))).toBe(true)
  })

  it('lets an engine read a moment that it is given', async () => {
    const { findings } = await check(engineFile({ onRequest: 'host.log("info", new Date(host.now).toISOString())' }), '--only', 'determinism')
    expect(failed(findings)).toEqual([])
  })

  it('notices state that is kept beside the instance', async () => {
    const { findings } = await check(engineFile({ onRequest: 'host.log("info", String(count++))' }), '--only', 'determinism')
    expect(failed(findings).join()).toContain('expected the same effects for the same events')
  })

  it('notices bytes that are changed after they were given to the host', async () => {
    const { findings } = await check(
      engineFile({ create: 'const scratch = new Uint8Array(4)', onRequest: 'scratch[0] = blocks + 1; host.put("newest", scratch)' }),
      '--only',
      'determinism',
    )
    expect(failed(findings).join()).toContain('bytes stay as they are once they were handed over; onRequest changed those of put')
  })

  it.each([
    ['instances', { before: 'const all: any[] = []', create: 'all.push(() => host)' }, /each instance leaves \d+ bytes/],
    [
      'listeners',
      { create: 'process.on("SIGUSR2", () => host)', dispose: 'if (Math.floor(blocks) < 0) process.removeAllListeners()' },
      /more of listeners of process 'SIGUSR2'/,
    ],
    ['timers', { create: 'setInterval(() => host, 1e9)' }, /more of Timeout/],
  ])('notices %s that dispose leaves', async (what, body, found) => {
    const { findings } = await check(engineFile(body), '--only', 'dispose')
    process.removeAllListeners('SIGUSR2')
    expect(failed(findings).join(), what).toMatch(found)
  })

  it('notices memory that grows with the chain', async () => {
    const { findings } = await check(engineFile({ create: 'const all = new Set()', onRequest: 'all.add(request.id)' }), '--only', 'growth')
    expect(findings).toMatchObject([
      { verdict: 'failed', kind: 'contract', detail: expect.stringMatching(/its memory grew by .* bytes for each request: forget/) },
    ])
  })

  it.each([
    ['more validators that bear less', 'tolerates: (n: number) => ({ crashed: n === 5 ? 1 : 0, byzantine: 0 }),', /tolerates\(5\) is .*tolerates\(6\)/],
    ['an answer that changes', 'tolerates: () => ({ crashed: count++ % 2, byzantine: 0 }),', /tolerates\(1\) gave/],
    ['a liar without agreement', 'tolerates: (n: number) => ({ crashed: Number(n > 1), byzantine: Number(n > 1) }),', /without agreement/],
  ])('notices %s', async (_, promises, found) => {
    const { findings } = await check(engineFile({ promises }), '--only', 'promises')
    expect(failed(findings).join()).toMatch(found)
  })

  it('says what a file lacks to be an engine', async () => {
    const file = engineFile({})
    writeFileSync(file, 'export const nothing = 1\n')
    const { exit, stderr } = await check(file)
    expect({ exit, stderr }).toMatchObject({ exit: 1, stderr: expect.stringContaining('expected an engine among the exports') })
  })

  it.each([
    ['--only', 'speed'],
    ['--seeds', '0'],
    ['--members', '4,x'],
    ['--options', '{'],
    ['--limit', 'soon'],
  ])('refuses %s %s', async (flag, value) => {
    const { exit, stderr } = await check(engineFile({}), flag, value)
    expect({ exit, stderr }).toMatchObject({ exit: 1, stderr: expect.stringContaining(`${flag}: expected`) })
  })
})
