import { definePlugin } from '../../kernel/index.js'
import { HTTP } from '../http/index.js'
import { ProfileCpuCommand } from './commands/cpu.js'
import { ProfileEventLoopCommand } from './commands/eventloop.js'
import { ProfileHeapCommand } from './commands/heap.js'
import { profilingKeys } from './keys.js'

/** Profiles of the running peer for pprof tools, on a listener of their own (spec/node.md §3). Off by default, and then nothing of it is loaded. */
export default definePlugin({
  name: 'profiling',
  description: 'CPU and heap profiles at /debug/pprof/; peer profile cpu, heap and eventloop',
  config: profilingKeys,
  uses: [HTTP],
  commands: [ProfileCpuCommand, ProfileHeapCommand, ProfileEventLoopCommand],
  apply(peer) {
    const end: (() => void)[] = []
    peer.hooks.registerServices.tap(async () => {
      const settings = peer.settings(profilingKeys)
      if (!settings['peer.profile.enabled']) return
      const [{ profilingRoutes }, { HeapSampler }, { LoopDelay }] = await Promise.all([
        import('./routes.js'),
        import('./heap-profile.js'),
        import('./loop-delay.js'),
      ])
      const heap = new HeapSampler()
      end.push(() => heap.stop())
      await heap.start()
      const loop = new LoopDelay().start()
      end.push(() => loop.stop())
      // Plain HTTP also with TLS on, as in v0.6.
      const listener = peer.use(HTTP).declare('profiling', settings['peer.profile.listenAddress'], { key: 'peer.profile.listenAddress', tls: false })
      peer.onDispose(() => listener.remove())
      listener.add(profilingRoutes({ heap, loop, log: peer.log }))
    })
    peer.hooks.start.tap(async () => {
      if (peer.settings(profilingKeys)['peer.profile.enabled']) await peer.use(HTTP).open()
    })
    peer.hooks.stop.tap(async () => {
      for (const act of end.splice(0)) act()
    })
  },
})
