import { encode, pbft } from '../../../proto/index.js'
import { toBatch } from '../../../plugins/pbft/messages.js'
import { hex, type JsonRequest, toRequest } from './transcripts.js'

/** What a step leads to, as the runner compares it. */
export type Expected = Readonly<Record<string, unknown>>

/** What is different at a step of a transcript, given what was recorded there. */
export type Deviation = (recorded: Expected) => Expected

const lines = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [])
const said = (payload: pbft.Payload): string => `broadcast ${hex(pbft.encodePayload(payload))}`

/** The batch that the transcripts call req-1. */
const request: JsonRequest = { timestamp: { seconds: 1_469_000_001, nanos: 1 }, payloadHex: '7265712d31', replicaId: 1, signatureHex: '' }
const first = toBatch({ batch: [toRequest(request)] })
const pqset = (...set: (readonly [n: number, digest: string, view: number])[]): string =>
  hex(encode(pbft.PQset, { set: set.map(([sequenceNumber, batchDigest, view]) => ({ sequenceNumber, batchDigest, view })) }))
const vote = (view: number, sequenceNumber: number, replicaId: number) => ({ view, sequenceNumber, batchDigest: first.digest, replicaId })

const progressTimerRuns: Deviation = () => ({ newViewTimerRunning: true })
const nothingHappens: Deviation = () => ({ effects: [], newViewTimerRunning: false, records: [], seqNo: 0, storedBatches: 0 })

/**
 * Where this engine is better than the original (docs/spec/consensus.md §15), by transcript and step: everything that is not named here is as it was recorded.
 */
export const deviations: Readonly<Record<string, Readonly<Record<number, Deviation>>>> = {
  // W27: instead of a crash the engine stops voting and says why.
  'checkpoint-mismatch-fatal': { 12: () => ({ effects: ['valid false', 'halt'] }) },
  // A batch that was fetched for the new view is work like any other: its primary is watched.
  'fetch-missing-batch': { 4: progressTimerRuns },
  // W34: the checkpoints that revealed the lag are a target.
  'state-transfer-fails': { 10: () => ({ effects: ['transfer 533132 [0,1]'], stateTransferring: true }) },
  // W11: a wrong digest does not silence a replica's right one.
  'duplicate-prepare-commit': {
    3: ({ records }) => ({
      effects: [said({ $case: 'commit', value: vote(0, 1, 1) })],
      records: [...lines(records), `pset ${pqset([1, first.digest, 0])}`].sort(),
    }),
    4: () => ({ effects: [] }),
  },
  // Members that went to later views count for leaving this one in its turn: their view changes for it may be lost for good.
  'join-view-change': { 2: () => ({ newViewTimerRunning: true, nextNewViewTimeoutMs: 4000 }) },
  // What is decided beyond a gap is no progress: the primary may have left out a number.
  'execution-order': { 4: progressTimerRuns },
  // W24: nobody's batches are proposed.
  'remote-request-batch': { 1: nothingHappens, 2: nothingHappens },
  // W14: a restarted replica keeps to its votes, and commits of the others decide the number it had prepared.
  'restart-with-prepared-batch': {
    2: progressTimerRuns,
    3: progressTimerRuns,
    4: () => ({ effects: ['execute 1'], currentExec: 1, newViewTimerRunning: false }),
    5: () => ({ currentExec: 1 }),
    6: () => ({ currentExec: 1 }),
  },
  // An answer that nothing was asked for changes nothing.
  'nil-current-exec': { 1: () => ({ skipInProgress: false }) },
  // W7: the V set holds the view changes for this view, one of each replica.
  'new-primary-mixed-views': {
    6: ({ effects }) => {
      const [, ...rest] = lines(effects)
      const vset = [1, 2, 3].map((replicaId) => ({
        view: 1,
        h: 0,
        cset: [{ sequenceNumber: 0, id: 'CAESB0dFTkVTSVM=' }],
        pset: [],
        qset: [],
        replicaId,
        signature: Buffer.from('SIGN'),
      }))
      return { effects: [said({ $case: 'newView', value: { view: 1, vset, xset: [{ key: 1n, value: '' }], replicaId: 1 } }), ...rest] }
    },
  },
  // W15: a transfer moves the primary's counter.
  'primary-after-state-transfer': {
    8: ({ records }) => ({
      effects: [said({ $case: 'prePrepare', value: { view: 0, sequenceNumber: 9, batchDigest: first.digest, requestBatch: first.message, replicaId: 0 } })],
      records: [...lines(records), `qset ${pqset([9, first.digest, 0])}`].sort(),
      seqNo: 9,
    }),
  },
  // W40: a pre-prepare for the view that is being entered is kept.
  'prepares-for-new-view-before-entering': {
    9: ({ effects, records }) => ({
      effects: [...lines(effects), said({ $case: 'prepare', value: vote(1, 2, 3) })],
      records: [
        ...lines(records).filter((line) => !line.startsWith('qset')),
        `qset ${pqset([1, '', 1], [2, first.digest, 1])}`,
        `reqBatch.${first.digest} ${hex(first.bytes)}`,
      ].sort(),
      storedBatches: 1,
      newViewTimerRunning: true,
    }),
  },
}
