import type { EngineFactory } from '../../plugins/consensus/index.js'

/** A factory that is as another one, but for the instances that it makes. What it is asked goes to the other, as calls of it. */
export function factoryWith<O>(factory: EngineFactory<O>, create: EngineFactory<O>['create']): EngineFactory<O> {
  const { name, version, agreement, checkMembers } = factory
  return {
    name,
    version,
    agreement,
    tolerates: (n) => factory.tolerates(n),
    parseOptions: (raw) => factory.parseOptions(raw),
    ...(checkMembers ? { checkMembers: (options: O, members) => checkMembers.call(factory, options, members) } : {}),
    create,
  }
}
