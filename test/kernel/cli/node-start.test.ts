import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tempSite } from '../config/temp-site.js'
import { runPeer } from './run-peer.js'

/** A plugin that writes down what it reads and stops the peer. */
const LOOM = `
import { writeFileSync } from 'node:fs'
import { defineKeys, definePlugin, flag, key, text } from 'weft'
const keys = defineKeys({ 'loom.mode': key(text(), 'net', 'mode'), 'loom.running': key(flag(), false, 'runs'), 'loom.file': key(text(), '', 'file') })
export default definePlugin({
  name: 'loom',
  config: keys,
  startFlags: { '--loom-dev': { description: 'weave slowly', set: { 'loom.mode': 'dev', 'loom.running': 'true' } } },
  apply(peer) {
    peer.hooks.start.tap(async () => {
      const settings = peer.settings(keys)
      writeFileSync(settings['loom.file'], JSON.stringify(settings))
      peer.requestStop('woven')
    })
  },
})`

const start = async (...flags: string[]) => {
  const cwd = tempSite({ 'loom.ts': LOOM })
  const content = {
    plugins: ['./loom.ts', 'weft/plugins/logging'],
    peer: { listenAddress: '127.0.0.1:0', fileSystemPath: join(cwd, 'data') },
    loom: { file: join(cwd, 'seen.json') },
  }
  const { writeFileSync } = await import('node:fs')
  writeFileSync(join(cwd, 'peer.config.json'), JSON.stringify(content))
  const printed = await runPeer(cwd, ['node', 'start', '--logging-level', 'critical', ...flags])
  return { printed, seen: () => JSON.parse(readFileSync(join(cwd, 'seen.json'), 'utf8')) }
}

test('peer node start runs the plugins of the site until somebody stops it', async () => {
  const { printed, seen } = await start()
  expect(printed).toEqual({ exit: 0, stdout: '', stderr: '' })
  expect(seen()).toMatchObject({ 'loom.mode': 'net', 'loom.running': false })
})

test('a start flag of a plugin stands for values of keys', async () => {
  expect((await start('--loom-dev')).seen()).toMatchObject({ 'loom.mode': 'dev', 'loom.running': true })
  expect((await start('--loom-dev=false')).seen()).toMatchObject({ 'loom.mode': 'net', 'loom.running': false })
})

test('a peer that cannot start is one readable error', async () => {
  const { printed } = await start('--set', 'peer.listenAddress=nowhere', '--set', 'loom.running=maybe')
  expect(printed).toMatchObject({ exit: 1, stdout: '' })
  expect(printed.stderr).toMatch(/^Error: 2 errors in the configuration of .*\n.*peer.listenAddress.*\n.*loom.running.*\n$/)
})
