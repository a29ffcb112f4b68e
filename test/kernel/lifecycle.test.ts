import { describe, expect, test } from 'vitest'
import { definePlugin, Peer, PeerError, PluginError, type Plugin, type StopReason } from '../../kernel/index.js'
import { layered } from '../../kernel/config/site.js'
import { testPeer, testSite } from './sites.js'

const HOOKS = ['db', 'registerServices', 'start'] as const

/** A plugin that writes down every hook it goes through. */
function diary(name: string, entries: string[], failing?: string, rest: Partial<Plugin> = {}): Plugin {
  return definePlugin({
    name,
    ...rest,
    apply(peer) {
      peer.hooks.config.tap(async (site) => {
        entries.push(`${name} config`)
        return site
      })
      peer.hooks.endpoint.tap(async (endpoint) => {
        entries.push(`${name} endpoint`)
        return endpoint
      })
      for (const hook of HOOKS) {
        peer.hooks[hook].tap(async () => {
          entries.push(`${name} ${hook}`)
          if (failing === hook) throw new Error('no more disk')
        })
      }
      peer.hooks.stop.tap(async () => {
        entries.push(`${name} stop`)
        if (failing === 'stop') throw new Error('does not let go')
      })
      peer.onDispose(() => void entries.push(`${name} dispose`))
    },
  })
}

describe('the life of a peer', () => {
  test('runs the hooks in order and unwinds them plugin by plugin in reverse', async () => {
    const entries: string[] = []
    const { peer } = testPeer([diary('a', entries), diary('b', entries)])
    await peer.start()
    expect(entries).toEqual(['config', 'endpoint', 'db', 'registerServices', 'start'].flatMap((hook) => [`a ${hook}`, `b ${hook}`]))
    entries.length = 0
    await peer.stop()
    expect(entries).toEqual(['b stop', 'b dispose', 'a stop', 'a dispose'])
  })

  test('what a plugin checks when all have registered runs before anything starts, and a failure names the plugin', async () => {
    const entries: string[] = []
    const checking = (fails: boolean) =>
      definePlugin({
        name: 'checking',
        apply(host) {
          host.onRegistered(async () => {
            entries.push('checked')
            if (fails) throw new PeerError('ERR_LOOM_THREAD', 'no thread')
          })
        },
      })
    const { peer } = testPeer([checking(false), diary('a', entries)])
    await peer.start()
    expect(entries).toEqual(['a config', 'a endpoint', 'a db', 'a registerServices', 'checked', 'a start'])
    await peer.stop()
    await expect(testPeer([checking(true)]).peer.start()).rejects.toThrow('plugin checking failed in hook registerServices: no thread')
  })

  test('a config tap hands its values to the next plugin, and settings are readable from the endpoint hook on', async () => {
    const seen: unknown[] = []
    const { peerKeys } = await import('../../kernel/index.js')
    const { peer } = testPeer([
      definePlugin({
        name: 'namer',
        apply(host) {
          host.hooks.config.tap(async (site) => site.with('peer.id', 'vp7', 'namer'))
          host.hooks.endpoint.tap(async (endpoint) => {
            seen.push(host.settings(peerKeys)['peer.id'], endpoint.id)
            return { ...endpoint, address: 'vp7.example:7051' }
          })
          host.hooks.start.tap(async (running) => void seen.push(running.endpoint.address))
        },
      }),
    ])
    await peer.start()
    await peer.stop()
    expect(seen).toEqual(['vp7', 'vp7', 'vp7.example:7051'])
  })

  test('a failing hook names the plugin, the hook and the reason', async () => {
    const { peer } = testPeer([diary('a', []), diary('b', [], 'db')])
    const error: unknown = await peer.start().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(PluginError)
    expect(error).toMatchObject({ plugin: 'b', hook: 'db', message: 'plugin b failed in hook db: no more disk' })
  })

  test('after a failed start whatever had begun is stopped in reverse order, and nothing else', async () => {
    const entries: string[] = []
    const { peer } = testPeer([diary('a', entries), diary('b', entries, 'db'), diary('c', entries)])
    await expect(peer.start()).rejects.toThrow('no more disk')
    expect(entries.slice(-5)).toEqual(['c dispose', 'b stop', 'b dispose', 'a stop', 'a dispose'])
    expect((await peer.finished).failed).toBe(true)
  })

  test('a failing stop tap does not keep the others from stopping, and is reported', async () => {
    const entries: string[] = []
    const { peer } = testPeer([diary('a', entries), diary('b', entries, 'stop')])
    await peer.start()
    await expect(peer.stop()).rejects.toThrow('plugin b failed in hook stop: does not let go')
    expect(entries.slice(-4)).toEqual(['b stop', 'b dispose', 'a stop', 'a dispose'])
    await expect(peer.stop()).rejects.toThrow('does not let go')
    expect(entries.filter((entry) => entry === 'a stop')).toHaveLength(1)
  })

  test('a plugin may stop the peer, or fail it', async () => {
    const ending = async (act: 'requestStop' | 'fail'): Promise<StopReason> => {
      const { peer } = testPeer([definePlugin({ name: 'p', apply: (host) => host.hooks.start.tap(async () => void setImmediate(() => host[act]('enough'))) })])
      await peer.start()
      return peer.finished
    }
    expect(await ending('requestStop')).toEqual({ why: 'enough', failed: false })
    expect(await ending('fail')).toEqual({ why: 'plugin p: enough', failed: true })
  })

  test('a stop that is asked for while starting ends the start before the next tap', async () => {
    const entries: string[] = []
    const asker = definePlugin({ name: 'asker', apply: (host) => host.hooks.db.tap(async () => host.requestStop('changed my mind')) })
    const { peer } = testPeer([asker, diary('later', entries)])
    await expect(peer.start()).rejects.toMatchObject({ code: 'ERR_PEER_STOPPED' })
    expect(entries).not.toContain('later db')
    expect(await peer.finished).toEqual({ why: 'changed my mind', failed: false })
  })

  test('a peer starts once', async () => {
    const { peer } = testPeer([])
    await peer.start()
    await expect(peer.start()).rejects.toMatchObject({ code: 'ERR_PEER_STATE' })
    await peer.stop()
  })
})

describe('what a tap may do', () => {
  test('an apply that returns something or throws is refused in its name', async () => {
    const throwing = testPeer([
      definePlugin({
        name: 'p',
        apply: () => {
          throw new Error('typo')
        },
      }),
    ])
    await expect(throwing.peer.start()).rejects.toThrow('plugin p failed in hook apply: typo')
    const waiting = testPeer([definePlugin({ name: 'p', apply: () => 'something to wait for' })])
    await expect(waiting.peer.start()).rejects.toThrow('plugin p failed in hook apply: apply must register taps and return nothing')
  })

  test('a tap that returns no promise is refused', async () => {
    // What a plugin written in JavaScript can do in spite of the types.
    const sync: Plugin = definePlugin({ name: 'p', apply: (host) => void Reflect.apply(host.hooks.db.tap.bind(host.hooks.db), undefined, [() => undefined]) })
    await expect(testPeer([sync]).peer.start()).rejects.toThrow('plugin p failed in hook db: its tap returned no promise')
  })

  test('a tap that throws before its first await is attributed like any other', async () => {
    const sync = definePlugin({
      name: 'p',
      apply: (host) =>
        host.hooks.db.tap(() => {
          throw new Error('at once')
        }),
    })
    await expect(testPeer([sync]).peer.start()).rejects.toThrow('plugin p failed in hook db: at once')
  })

  test('a tap that never ends fails the start', async () => {
    const stuck = definePlugin({ name: 'p', apply: (host) => host.hooks.start.tap(() => new Promise(() => undefined)) })
    await expect(testPeer([stuck], {}, { tapLimitMs: 5 }).peer.start()).rejects.toThrow('plugin p failed in hook start: its tap did not end within')
  })

  test('a failing background task is logged with plugin and name, and does not stop the peer', async () => {
    const { peer, lines } = testPeer([
      definePlugin({ name: 'p', apply: (host) => host.hooks.start.tap(async () => host.run('sweep', Promise.reject(new Error('dusty')))) }),
    ])
    await peer.start()
    await peer.stop()
    expect(lines.join('')).toMatch(/\[p\] run -> ERRO .* background task sweep failed: dusty task=sweep/)
  })

  test('stopping waits for background tasks, and names those it gives up on', async () => {
    let done = false
    const plugin = definePlugin({
      name: 'p',
      apply(host) {
        host.hooks.start.tap(async () => {
          host.run(
            'short',
            new Promise<void>((resolve) => setTimeout(resolve, 5)).then(() => void (done = true)),
          )
          host.run('endless', new Promise(() => undefined))
        })
      },
    })
    const { peer, lines } = testPeer([plugin], {}, { taskLimitMs: 30 })
    await peer.start()
    await peer.stop()
    expect(done).toBe(true)
    expect(lines.join('')).toContain('still running after 30 ms, not waited for any longer: endless')
  })

  test('errors of the kernel carry codes', async () => {
    const early = definePlugin({ name: 'p', config: {}, apply: (host) => void host.settings({}) })
    const error: unknown = await testPeer([early])
      .peer.start()
      .catch((reason: unknown) => reason)
    expect(error instanceof PeerError && error.cause).toMatchObject({ code: 'ERR_CONFIG_EARLY' })
  })

  test('a site whose list has something that is no plugin does not start, and the entry is named', async () => {
    const peer = new Peer(layered({ ...testSite([]), plugins: [definePlugin({ name: 'p', apply: () => undefined }), { name: 'words' }] }))
    await expect(peer.start()).rejects.toThrow('plugins[1] in (program): expected a plugin (name and apply), found an object with name')
  })
})
