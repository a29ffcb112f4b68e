import { address, defineKeys, flag, key } from '../../kernel/index.js'

/** The profiling keys of v0.6 (spec/node.md §2.3). */
export const profilingKeys = defineKeys({
  'peer.profile.enabled': key(flag(), false, 'answer /debug/pprof/ on peer.profile.listenAddress'),
  'peer.profile.listenAddress': key(address(), '127.0.0.1:6060', 'address of the profiling listener; plain HTTP, nothing authenticates its callers'),
})
