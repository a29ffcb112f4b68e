import type { EngineFactory, EngineHost, EngineStart } from '../../plugins/consensus/index.js'
import { factoryWith } from './factory-with.js'
import { hostWith } from './host-with.js'

/** Hears what an engine says of itself. */
type Listener = (shown: Readonly<Record<string, unknown>>) => void

/** An engine that behaves as the given one. What an instance says of itself (`status`) is heard by the listener that its start gets, if it gets one. */
export function heardEngine<O>(factory: EngineFactory<O>, listenerFor: (start: EngineStart) => Listener | undefined): EngineFactory<O> {
  return factoryWith(factory, (host, options, start) => {
    const listener = listenerFor(start)
    return factory.create(listener ? heardHost(host, listener) : host, options, start)
  })
}

function heardHost(host: EngineHost, listener: Listener): EngineHost {
  return hostWith(host, {
    status(view) {
      listener(view)
      host.status(view)
    },
  })
}
