/**
 * What `weft/consensus` means inside an engine's process.
 *
 * @packageDocumentation
 */
export {
  BATCHING,
  batchingKind,
  createBatcher,
  createRandom,
  createRecentIds,
  createRequestBook,
  createSignatureChecks,
  createSoftTimers,
  defaultLimits,
  defineEngine,
  ENGINES,
  requestId,
  shake256,
} from '../../consensus/index.js'
