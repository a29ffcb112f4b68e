import { describe, expect, test } from 'vitest'
import { createSite, definePlugin, type Logging, Peer, type Plugin } from '../../kernel/index.js'
import grpc from '../../plugins/grpc/index.js'
import logging from '../../plugins/logging/index.js'
import { temporaryDirectory, testPeer } from './sites.js'

const asking: Plugin = definePlugin({ name: 'asking', apply: (host) => host.hooks.registerServices.tap(async (listeners) => void listeners.get('peer')) })

describe('what plugins bring to the kernel', () => {
  test('without a plugin for listeners, asking for one names the plugin to add', async () => {
    await expect(testPeer([asking]).peer.start()).rejects.toMatchObject({ cause: { code: 'ERR_LISTENER_MISSING' }, hint: 'add weft/plugins/grpc to plugins' })
  })

  test('a peer without listeners starts and stops', async () => {
    const { peer } = testPeer([])
    await peer.start()
    await peer.stop()
    expect(await peer.finished).toEqual({ why: 'stop was called', failed: false })
  })

  test('a plugin brings the logging, hears the settings, and its own logger is of it', async () => {
    const heard: string[] = []
    const bringing = definePlugin({
      name: 'bringing',
      async logging(): Promise<Logging> {
        const logger: Logging['logger'] = (module) => {
          const write = (message: string) => void heard.push(`${module}: ${message}`)
          const made = { module, critical: write, error: write, warning: write, notice: write, info: write, debug: write, isEnabled: () => true }
          return { ...made, in: () => logger(module) }
        }
        return { logger, configured: () => void heard.push('configured') }
      },
      apply: (host) => host.hooks.start.tap(async () => host.log.info('hello')),
    })
    const site = createSite({ plugins: [bringing] }).with('peer.fileSystemPath', temporaryDirectory(), 'test')
    const peer = new Peer(site)
    await peer.start()
    await peer.stop()
    expect(heard[0]).toBe('configured')
    expect(heard).toContain('bringing: hello')
  })

  test.each([
    ['listeners', grpc],
    ['logging', logging],
  ])('%s cannot be changed while the peer runs', async (_what, plugin) => {
    const { peer } = testPeer([])
    await peer.start()
    await expect(peer.add(plugin)).rejects.toMatchObject({ code: 'ERR_PLUGIN_LATE' })
    await peer.stop()
    const having = testPeer([plugin]).peer
    await having.start()
    await expect(having.remove(plugin.name)).rejects.toMatchObject({ code: 'ERR_PLUGIN_LATE' })
    await having.stop()
  })
})
