import * as z from 'zod'
import { defineKeys, duration, flag, integer, key, PeerError, text } from '../../kernel/index.js'
import { batchingKind, type Member, memberKeys, optionFaults } from '../consensus/index.js'

const wait = duration().refine((ms) => ms > 0, 'expected a duration above zero, such as 2s')
const count = integer({ min: 0 })

/** How options are written, by name. */
const kinds = {
  mode: text().refine((name) => name.toLowerCase() === 'batch', 'expected batch, the only mode of v0.6'),
  N: integer({ min: 1 }),
  f: count,
  K: integer({ min: 1 }),
  logmultiplier: integer({ min: 2 }),
  batchsize: count,
  byzantine: flag().refine((on) => !on, 'this validator does not misbehave on request: the test kit has Byzantine members'),
  viewchangeperiod: count,
  'timeout.batch': duration(),
  'timeout.request': wait,
  'timeout.viewchange': wait,
  'timeout.resendviewchange': wait,
  'timeout.nullrequest': duration(),
  batching: batchingKind(),
}

/** The keys of PBFT (spec/consensus.md §14.1; `CORE_PBFT_GENERAL_N` and so on). Durations are read as milliseconds. */
export const pbftKeys = defineKeys({
  'pbft.general.mode': key(kinds.mode, 'batch', 'batch, in any case; v0.6 has no other'),
  'pbft.general.N': memberKeys['pbft.general.N'],
  'pbft.general.f': key(kinds.f, 1, 'faulty validators to survive; 3f + 1 may not exceed N'),
  'pbft.general.K': key(kinds.K, 10, 'a checkpoint is taken every so many sequence numbers'),
  'pbft.general.logmultiplier': key(kinds.logmultiplier, 4, 'the log holds K times this, 2 or more'),
  'pbft.general.batchsize': key(kinds.batchsize, 500, 'requests that make a batch full; below 1 is 1'),
  'pbft.general.byzantine': key(kinds.byzantine, false, "v0.6's test mode, which is not here: true is refused"),
  'pbft.general.viewchangeperiod': key(kinds.viewchangeperiod, 0, 'checkpoint periods after which the primary changes; 0: never'),
  'pbft.general.timeout.batch': key(kinds['timeout.batch'], '1s', 'the longest that a request waits for its batch to fill'),
  'pbft.general.timeout.request': key(kinds['timeout.request'], '2s', 'how long a request may take before the primary is suspected'),
  'pbft.general.timeout.viewchange': key(kinds['timeout.viewchange'], '2s', 'how long a view change may take, doubled for each that fails'),
  'pbft.general.timeout.resendviewchange': key(kinds['timeout.resendviewchange'], '2s', 'a view change is sent again after this'),
  'pbft.general.timeout.nullrequest': key(kinds['timeout.nullrequest'], '0s', 'an idle primary orders nothing this often, to show that it lives; 0: never'),
  'pbft.general.timeout.broadcast': key(duration(), '1s', 'accepted for old files: sending never blocks'),
  'pbft.executor.queuesize': key(count, 30, 'accepted for old files: v0.6 does not read it either'),
  'pbft.batching': key(kinds.batching, 'adaptive', 'adaptive: an idle primary cuts a batch at once; fixed: v0.6, on batchsize or after timeout.batch'),
})

/** Options of PBFT, durations in milliseconds. Without N as many as there are members, without f as many as N allows. */
export type PbftOptions = ReturnType<typeof parsePbftOptions>

const schema = z.strictObject(kinds).partial()

/** Reads options as people write them: `{ N: 4, f: 1, K: 10, 'timeout.request': '2s' }`, all optional. Throws ERR_PBFT_OPTIONS. */
export function parsePbftOptions(raw: unknown) {
  const parsed = schema.safeParse(raw ?? {})
  if (!parsed.success) throw wrong(optionFaults(parsed.error, raw, Object.keys(kinds)))
  const { N, f, K = 10, logmultiplier: logMultiplier = 4, viewchangeperiod: viewChangePeriod = 0, ...read } = parsed.data
  const { batchsize = 500, batching = 'adaptive', 'timeout.batch': batchMs = 1000, 'timeout.request': asked = 2000 } = read
  const { 'timeout.viewchange': viewChangeMs = 2000, 'timeout.resendviewchange': resendMs = 2000, 'timeout.nullrequest': nullMs = 0 } = read
  if (N !== undefined && f !== undefined) checkFaults(N, f)
  // v0.6 derives these (§10.2): a batch must have time to be cut and ordered before anybody is suspected.
  const requestMs = batchMs >= asked ? Math.floor((3 * batchMs) / 2) : asked
  const nullRequestMs = nullMs > 0 && requestMs >= nullMs ? Math.floor((3 * requestMs) / 2) : nullMs
  const batchSize = Math.max(1, batchsize)
  return { N, f, K, logMultiplier, batchSize, batching, viewChangePeriod, batchMs, requestMs, viewChangeMs, resendMs, nullRequestMs }
}

/** How many replicas there are and what they need of one another (§6.1). */
export interface Quorums {
  readonly N: number
  readonly f: number
  /** ⌊(N + f + 2) / 2⌋: commits, stable checkpoints; one more than prepares. */
  readonly intersection: number
  readonly viewChange: number
}

/** The quorums of these members. Throws ERR_PBFT_OPTIONS if N, f and the members do not fit, or a member `vp<n>` does not stand at place n. */
export function quorumsOf({ N: asked, f: wanted }: Partial<Pick<PbftOptions, 'N' | 'f'>>, members: readonly Member[]): Quorums {
  const N = members.length
  const ids = members.map(({ id }) => id).join(', ')
  if ((asked ?? N) !== N) throw wrong([`general.N is ${asked}, but the network has ${N} validators (${ids}): consensus.validators lists them`])
  const f = wanted ?? Math.floor((N - 1) / 3)
  checkFaults(N, f)
  const misplaced = members.find(({ id, index }) => /^vp\d+$/.test(id) && id !== `vp${index}`)
  if (misplaced) throw wrong([`${misplaced.id} is validator ${misplaced.index}, but v0.6 numbers replicas by their names: expected vp${misplaced.index}`])
  return { N, f, intersection: Math.floor((N + f + 2) / 2), viewChange: N - f }
}

function checkFaults(N: number, f: number): void {
  if (3 * f + 1 > N) throw wrong([`f: with ${N} in all at most ${Math.floor((N - 1) / 3)} may be faulty; found ${f}`])
}

const wrong = (faults: readonly string[]): PeerError =>
  new PeerError('ERR_PBFT_OPTIONS', `the options of pbft are wrong: ${faults.join('; ')}`, { details: { faults } })
