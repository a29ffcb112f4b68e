import type { Engine, EngineFactory, EngineHost, EngineRequest } from '../../../plugins/consensus/index.js'
import { fromWire, pack, toWire, unpack, type WireRequest } from './wire.js'

// Engines that must not win a swap: each fails its trial in its own way.

function candidate(name: string, create: (host: EngineHost) => Engine): EngineFactory<undefined> {
  return {
    name,
    version: '0.0.0',
    agreement: true,
    // What it says of itself, so that nothing but the trial is in its way.
    tolerates: (n) => ({ crashed: Math.floor((n - 1) / 3), byzantine: Math.floor((n - 1) / 3) }),
    parseOptions: () => undefined,
    create: (host) => create(host),
  }
}

/** Orders nothing. */
export const silentCandidate = candidate('silent', () => ({}))

/** Stops for good as soon as it is asked for something. */
export const haltingCandidate = candidate('halting', (host) => ({ onRequest: () => host.halt('this engine cannot do anything') }))

/** Tells the others, and delivers in the order in which it hears: its own requests first, so that no two members order alike. */
export const disorderlyCandidate = candidate('disorderly', (host) => {
  const waiting: EngineRequest[] = []
  let isDelivering = false
  const next = (): void => {
    const request = isDelivering ? undefined : waiting.shift()
    if (!request) return
    isDelivering = true
    host.deliver(request.id, [request])
  }
  return {
    onRequest(request) {
      waiting.unshift(request)
      host.broadcast(pack({ t: 'request', request: toWire(request) }))
      next()
    },
    onMessage(_from, bytes) {
      const message = unpack<{ readonly request: WireRequest }>(bytes)
      if (message?.request) waiting.push(fromWire(message.request))
      next()
    },
    onDelivered() {
      isDelivering = false
      next()
    },
  }
})
