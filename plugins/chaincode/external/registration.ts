import { PeerError } from '../../../kernel/index.js'
import type { ChaincodeRuntime } from '../runtime.js'

/** The end of a process that was started and has not registered. */
export interface EarlyEnd {
  /** Resolves with what happened when the process ends. */
  readonly ended: Promise<string>
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal
}

/**
 * Waits until a started chaincode registers.
 *
 * @throws PeerError ERR_CHAINCODE_LAUNCH if it ends first, or nobody waits any more
 */
export async function awaitRegistration(registered: Promise<ChaincodeRuntime>, { ended, signal }: EarlyEnd): Promise<ChaincodeRuntime> {
  const given = abortedReason(signal)
  const early = await Promise.race([registered, ended, given.promise]).finally(given.release)
  if (typeof early !== 'string') return early
  throw new PeerError('ERR_CHAINCODE_LAUNCH', `the chaincode did not register: ${early}`)
}

function abortedReason(signal: AbortSignal): { readonly promise: Promise<string>; readonly release: () => void } {
  let release = () => {}
  const promise = new Promise<string>((resolve) => {
    const stop = () => resolve('nobody waits for it any more')
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop)
    release = () => signal.removeEventListener('abort', stop)
  })
  return { promise, release }
}
