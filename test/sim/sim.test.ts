import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { divide } from '../../plugins/sim/jobs.js'
import { readReport, Tally } from '../../plugins/sim/outcome.js'
import { Progress } from '../../plugins/sim/progress.js'
import { ALL_KINDS } from '../kit/faults.js'
import { runPeer } from '../kernel/cli/run-peer.js'

// In real time, on a busy machine.
const SKELETONS = join(import.meta.dirname, '../simulator/skeletons')
const RAFT = join(SKELETONS, 'raft.ts')
const before = process.listenerCount('SIGTERM')
const directory = (): string => mkdtempSync(join(tmpdir(), 'weft-sim-'))

/** An engine in a file, which does what it is told to do wrong. */
function engineFile(body: string): string {
  const file = join(directory(), 'engine.ts')
  const promises = `name: 'bad', version: '1', agreement: true, tolerates: () => ({ crashed: 0, byzantine: 0 }), parseOptions: (raw: unknown) => raw`
  writeFileSync(file, `export const bad = { ${promises}, create: (host: any) => (${body}) }\n`)
  return file
}

describe('peer sim', () => {
  it('plays seeds of an engine by name, and says that everything held', async () => {
    const { exit, stdout, stderr } = await runPeer(directory(), ['sim', 'noops', '--validators', '1', '--seeds', '5'])
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
    expect(stdout).toMatch(/^noops 1\.0\.0, 1 validators, faults: kill/)
    expect(stdout).toMatch(/everything held: safety, liveness and contract\n$/)
  })

  it('plays seeds of an engine in a file, as JSON', async () => {
    const { exit, stdout } = await runPeer(directory(), [
      'sim',
      RAFT,
      '--validators',
      '3',
      '--faults',
      'power,partition',
      '--seed',
      '7',
      '--seeds',
      '3',
      '--json',
    ])
    expect(exit).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ engine: 'raft-skeleton', validators: 3, faults: ['power', 'partition'], seeds: 3, failures: [] })
  })

  it.each([
    ['safety', 3, `{ onRequest: (request: any) => host.deliver('mine', [request]) }`],
    ['liveness', 4, '{}'],
    ['contract', 5, `{ onRequest: () => { throw new Error('no') } }`],
  ])('ends with its own code when %s breaks, and leaves a scenario that can be played again', async (kind, code, body) => {
    const cwd = directory()
    const file = engineFile(body)
    const { exit, stdout } = await runPeer(cwd, ['sim', file, '--validators', '2', '--seeds', '2', '--faults', 'none', '--patience', '2000', '--json'])
    const { failures, files }: { failures: { kind: string }[]; files: { scenarioFile: string; diagramFile: string } } = JSON.parse(stdout)
    expect({ exit, kinds: failures.map((failure) => failure.kind) }).toEqual({ exit: code, kinds: [kind, kind] })
    expect(readFileSync(files.diagramFile, 'utf8')).toContain(`class="verdict ${kind}"`)
    // The file names the engine.
    const again = await runPeer(cwd, ['sim', '--replay', files.scenarioFile, '--trace', 'again.html'])
    expect(again.exit).toBe(code)
    expect(again.stdout).toContain(`${kind}: `)
    expect(readFileSync(join(cwd, 'again.html'), 'utf8')).toMatch(/^<!doctype html>/)
  })

  it('plays a kept scenario with the engine and options that its file names, unless others are asked for, and says so', async () => {
    const cwd = directory()
    const file = engineFile(`{ onRequest: () => { if (host.members.length > 1) throw new Error('no') } }`)
    const options = '{"patience":3}'
    const first = await runPeer(cwd, ['sim', file, '--validators', '2', '--seeds', '1', '--faults', 'none', '--options', options])
    const [, replay = ''] = /^play it again: peer (.*)$/m.exec(first.stdout) ?? []
    expect(replay).toMatch(/^sim --replay .*bad-contract-seed-1\.json --trace run\.html$/)
    const again = await runPeer(cwd, replay.split(' '))
    expect(again).toMatchObject({ exit: 5, stderr: '' })
    const kept = join(cwd, 'weft-sim/bad-contract-seed-1.json')
    expect(JSON.parse(readFileSync(kept, 'utf8'))).toMatchObject({
      engine: { name: 'bad', version: '1', options: { patience: 3 }, source: expect.stringMatching(/^\.\..*engine\.ts$/) },
    })
    expect(readFileSync(kept.replace('.json', '.html'), 'utf8')).toContain(replay)
    const other = await runPeer(cwd, ['sim', RAFT, '--replay', kept, '--options', '{}'])
    expect(other.stderr).toContain('this scenario failed with bad 1; it is played with raft-skeleton')
    expect(other.stderr).toContain('failed with the options {"patience":3}; it is played with {}')
    const without = join(cwd, 'old.json')
    const { engine: _, ...old } = JSON.parse(readFileSync(kept, 'utf8'))
    writeFileSync(without, JSON.stringify(old))
    expect(await runPeer(cwd, ['sim', '--replay', without])).toMatchObject({ exit: 1, stderr: expect.stringContaining('expected an engine') })
    expect(await runPeer(cwd, ['sim', file, '--replay', without, '--options', options])).toMatchObject({ exit: 5, stderr: '' })
  })

  it('tells what it found when it is ended, and how', async () => {
    const ended = runPeer(directory(), ['sim', RAFT, '--validators', '3', '--seeds', '1000000', '--json'])
    const signalled = setInterval(() => process.listenerCount('SIGTERM') > before && process.emit('SIGTERM', 'SIGTERM'), 200)
    try {
      const { exit, stdout } = await ended
      expect(exit).toBe(143)
      expect(JSON.parse(stdout)).toMatchObject({ interrupted: 'SIGTERM', engine: 'raft-skeleton', failures: [] })
    } finally {
      clearInterval(signalled)
    }
  })

  it('records a run, and says what another engine does differently', async () => {
    const cwd = directory()
    const recorded = await runPeer(cwd, ['sim', RAFT, '--validators', '3', '--seed', '3', '--seeds', '1', '--record', 'run.jsonl'])
    expect(recorded).toMatchObject({ exit: 0, stdout: expect.stringMatching(/^recorded: run\.jsonl, \d+ engine instances with \d+ calls\n$/) })
    const same = await runPeer(cwd, ['sim', RAFT, '--compare', 'run.jsonl'])
    expect(same).toMatchObject({ exit: 0, stdout: expect.stringContaining('asks for the same as raft-skeleton') })
    const other = await runPeer(cwd, ['sim', engineFile('{}'), '--compare', 'run.jsonl', '--json'])
    expect(other.exit).toBe(6)
    const { differences }: { differences: { found?: string }[] } = JSON.parse(other.stdout)
    expect(differences.length).toBeGreaterThanOrEqual(3)
    expect(differences[0]).toMatchObject({ call: expect.any(Number), recorded: expect.stringContaining('setTimer') })
  })

  it('names every kind of fault in its help', async () => {
    const { stdout } = await runPeer(directory(), ['sim', '--help'])
    for (const kind of ALL_KINDS) expect(stdout.replaceAll(/\s/g, '')).toContain(kind)
  })

  it.each([
    [['sim', RAFT, '--record', 'run.jsonl'], '--record: expected one run: --seeds 1, or --replay FILE'],
    [['sim', 'no-such-engine'], 'expected an engine, found neither weft/plugins/no-such-engine nor a package no-such-engine'],
    [['sim', 'noops'], '--validators: expected 1 for noops, which gives no agreement'],
    [['sim', RAFT, '--validators', '0'], "--validators: expected a whole number from 1 to 100; found '0'"],
    [['sim', RAFT, '--faults', 'flood'], '--faults: expected inside, byzantine, outside'],
    [['sim', RAFT, '--options', '{'], '--options: expected JSON'],
    [['sim', 'noops', '--validators', '1', '--options', '{"block.size":"x"}'], 'the options of noops are wrong'],
    [['sim', join(SKELETONS, 'wire.ts')], 'expected one engine among the exports'],
  ])('refuses %j with exit code 1', async (argv, message) => {
    const { exit, stderr } = await runPeer(directory(), argv)
    expect(exit).toBe(1)
    expect(stderr).toContain(message)
  })

  it.each([
    ['an engine without agreement', ['noops', '--validators', '4'], '--validators: expected 1 for noops'],
    ['options that do not fit so many', ['pbft', '--validators', '4', '--options', '{"general.f":2}'], 'general.f'],
  ])('refuses %s without the usage: every flag is right by itself', async (_, argv, message) => {
    const { exit, stderr } = await runPeer(directory(), ['sim', ...argv, '--seeds', '1'])
    expect(exit).toBe(1)
    expect(stderr).toContain(message)
    expect(stderr).not.toContain('Usage:')
  })
})

describe('progress', () => {
  it('is a line now and then where no terminal is, and an object for programs', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    try {
      const tally = new Tally()
      const written: string[] = []
      const stderr = { write: (text: string) => written.push(text) }
      const [text, json] = [new Progress(stderr, 100, false), new Progress(stderr, 100, true)]
      for (let seed = 1; seed <= 3; seed += 1) {
        vi.advanceTimersByTime(6000)
        tally.add({ seed, blocks: 1, accepted: 1, steps: 1, virtualMs: 1 })
        text.seeds(tally)
        json.seeds(tally)
      }
      expect(written).toEqual(['2/100 seeds, 588 s left\n', '{"progress":{"seeds":2,"of":100,"failed":0}}\n'])
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('jobs', () => {
  it('share the seeds without gap or overlap', () => {
    expect(divide({ first: 5, count: 10 }, 3)).toEqual([
      { first: 5, count: 4 },
      { first: 9, count: 3 },
      { first: 12, count: 3 },
    ])
    expect(divide({ first: 1, count: 2 }, 8)).toHaveLength(2)
  })

  it('tell of seeds on lines; other lines mean nothing', () => {
    const tally = new Tally()
    const report = { seed: 3, blocks: 1, accepted: 1, steps: 1, virtualMs: 1 }
    for (const line of ['a log line', '{"level":30}', 'null']) expect(readReport(line)).toBeUndefined()
    tally.add(report)
    expect(tally.exitCode).toBe(0)
    tally.add({ ...report, seed: 9, failure: { kind: 'liveness', statement: 'slow' } })
    expect(tally.exitCode).toBe(4)
    tally.add({ ...report, seed: 8, failure: { kind: 'safety', statement: 'two blocks' } })
    expect(tally).toMatchObject({ exitCode: 3, first: { seed: 8 } })
  })
})
