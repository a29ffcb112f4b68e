import { type Admission, BlockExecution } from '../../../plugins/consensus/execution/execution.js'
import { createLedger } from '../../../plugins/ledger/index.js'
import { FakeStore } from '../../ledger/fake-store.js'
import { fakeChaincode } from './fake-ledger.js'
import { MemoryLog } from './harness.js'

const EVERYTHING: Admission = {
  epoch: 0n,
  markersMissing: 0,
  isSuccession: () => false,
  isMarker: () => false,
  wasRejected: () => false,
  rejected: () => undefined,
}

/** Execution of blocks over the real ledger; admits everything but for what `admission` says. */
export async function createExecution(admission: Partial<Admission> = {}, executesRepetitions = false) {
  const ledger = await createLedger({ store: new FakeStore(), clock: { now: () => ({ seconds: 1n, nanos: 0 }) }, settings: { numBuckets: 10 }, genesis: true })
  const admitted = { ...EVERYTHING, ...admission }
  const execution = new BlockExecution(
    ledger,
    fakeChaincode(),
    new MemoryLog(),
    () => undefined,
    () => admitted,
    executesRepetitions,
  )
  return { ledger, execution }
}
