import { PeerError } from '../../../kernel/index.js'

/** Ends a call of an engine that breaks a rule of its host: `what` says what was expected and found. Throws ERR_ENGINE_MISUSE, whose place is the engine's own code. */
export function misuse(what: string): never {
  throw new PeerError('ERR_ENGINE_MISUSE', what)
}
