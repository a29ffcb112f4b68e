import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { preparePeer } from './support/peer.js'
import { Program } from './support/program.js'

/** A `systemd-notify` that writes down what it is told. */
function fakeNotify(directory: string, script: string): { readonly path: string; told(): string } {
  const bin = join(directory, 'bin')
  mkdirSync(bin)
  const file = join(directory, 'told')
  writeFileSync(join(bin, 'systemd-notify'), `#!/bin/sh\n${script.replace('$FILE', `'${file}'`)}\n`)
  chmodSync(join(bin, 'systemd-notify'), 0o755)
  return { path: `${bin}:${process.env['PATH']}`, told: () => (existsSync(file) ? readFileSync(file, 'utf8') : '') }
}

async function launch(script: string, env: Readonly<Record<string, string>>) {
  const peer = await preparePeer()
  onTestFinished(() => peer.dispose())
  const notify = fakeNotify(peer.directory, script)
  const program = new Program(['node', 'start', '--set', 'peer.id=vp7'], { ...peer.options, env: { ...peer.options.env, PATH: notify.path, ...env } })
  onTestFinished(() => program.signal('SIGKILL'))
  return { peer, program, told: notify.told }
}

test('a unit of Type=notify hears when the peer serves, that it lives, and when it stops', async () => {
  const { peer, program, told } = await launch('echo "$NOTIFY_SOCKET $*" >> $FILE', { NOTIFY_SOCKET: '/run/fake', WATCHDOG_USEC: '400000' })
  await program.until('READY', () => told().includes('/run/fake READY=1 STATUS=vp7 serves at'))
  expect(await peer.client.status()).toBe('STARTED')
  await program.until('two heartbeats', () => told().split('WATCHDOG=1').length > 2)
  program.signal('SIGTERM')
  expect((await program.ended).code).toBe(0)
  // A heartbeat that was on its way may come last.
  const lines = told()
    .trim()
    .split('\n')
    .filter((line) => !line.includes('WATCHDOG=1'))
  expect(lines.at(-1)).toBe('/run/fake STOPPING=1 STATUS=stopping: terminated')
  expect(lines.filter((line) => line.includes('READY=1'))).toHaveLength(1)
})

test('a peer that cannot tell says so and serves', async () => {
  const { peer, program } = await launch('echo "no such socket" >&2; exit 1', { NOTIFY_SOCKET: '/run/fake' })
  await program.until('the error', () => program.stderr.includes('systemd was not told READY=1'))
  expect(program.stderr).toContain('no such socket')
  await program.until('it serves', () => peer.isAnswering())
  program.signal('SIGTERM')
  expect((await program.ended).code).toBe(0)
})

test('without a socket nobody is told', async () => {
  const { peer, program, told } = await launch('echo "$*" >> $FILE', {})
  await program.until('it serves', () => peer.isAnswering())
  program.signal('SIGTERM')
  expect((await program.ended).code).toBe(0)
  expect(told()).toBe('')
})
