import type { EngineFactory, EngineHost, EngineStart } from '../../plugins/consensus/index.js'
import { hostWith } from './host-with.js'

/** Hears what an engine says of itself. */
type Listener = (shown: Readonly<Record<string, unknown>>) => void

/** An engine that behaves as the given one. What an instance says of itself (`status`) is heard by the listener that its start gets, if it gets one. */
export function heardEngine<O>(factory: EngineFactory<O>, listenerFor: (start: EngineStart) => Listener | undefined): EngineFactory<O> {
  const { name, version, agreement, checkMembers } = factory
  return {
    name,
    version,
    agreement,
    tolerates: (n) => factory.tolerates(n),
    parseOptions: (raw) => factory.parseOptions(raw),
    ...(checkMembers ? { checkMembers: (options: O, members) => factory.checkMembers?.(options, members) } : {}),
    create(host, options, start) {
      const listener = listenerFor(start)
      return factory.create(listener ? heardHost(host, listener) : host, options, start)
    },
  }
}

function heardHost(host: EngineHost, listener: Listener): EngineHost {
  return hostWith(host, {
    status(view) {
      listener(view)
      host.status(view)
    },
  })
}
