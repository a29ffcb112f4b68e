import type { SandboxKind } from '../../sandbox/index.js'

/** Bounds of an engine's process. */
export interface ProcessLimits {
  readonly sandbox: 'auto' | SandboxKind
  /** Private memory, about 45 MiB of which Node.js itself takes. */
  readonly memoryBytes: number
  /** How long one event may stay unanswered; then the process is killed. */
  readonly maxHandlerMs: number
  /** How long it may take until the engine is made. */
  readonly startTimeoutMs: number
  /** Effects of one handler. */
  readonly maxEffects: number
  readonly maxEffectsPerSecond: number
  /** Bytes of the answer to one event. */
  readonly maxAnswerBytes: number
  /** Of a network of up to {@link COUNTED_MEMBERS} validators. */
  readonly maxBytesPerSecond: number
  /** Records that an engine may have stored at a time, and the bytes that they take: of each 128, twice its key, and its value. */
  readonly maxRecords: number
  readonly maxRecordBytes: number
  /** Ends of the process in a row that are answered by another start; one more halts the engine. */
  readonly maxRestarts: number
  /** Life without an end after which the row is over. */
  readonly healthyAfterMs: number
  readonly firstBackOffMs: number
}

const MIB = 1024 * 1024

export const defaultProcessLimits: ProcessLimits = Object.freeze({
  sandbox: 'auto',
  memoryBytes: 512 * MIB,
  maxHandlerMs: 5000,
  startTimeoutMs: 30_000,
  maxEffects: 10_000,
  maxEffectsPerSecond: 200_000,
  maxAnswerBytes: 64 * MIB,
  maxBytesPerSecond: 256 * MIB,
  maxRecords: 100_000,
  maxRecordBytes: 128 * MIB,
  maxRestarts: 3,
  healthyAfterMs: 60_000,
  firstBackOffMs: 200,
})

/** Of its memory a process gets this part in records when it starts: the engine makes of them what it keeps, which may be as much again. */
const RECORDS_PART = 4
/** An answer is there twice in the process, as what the engine asked for and as what is sent. */
const ANSWER_PART = 8

/** Limits that fit together: what an engine may store and say leaves its process room to do so, and to begin with what it stored. */
export function fitting(limits: ProcessLimits): ProcessLimits {
  const { memoryBytes, maxRecordBytes, maxAnswerBytes } = limits
  return {
    ...limits,
    maxRecordBytes: Math.min(maxRecordBytes, Math.floor(memoryBytes / RECORDS_PART)),
    maxAnswerBytes: Math.min(maxAnswerBytes, Math.floor(memoryBytes / ANSWER_PART)),
  }
}

/** Validators whose questions an engine has to bear; where there are more, it may say more. */
export const COUNTED_MEMBERS = 8

/** Every member may ask for as much as `createMemberBudget` grants: what an honest engine says, whoever asks, grows with their number. */
export function bytesPerSecond({ maxBytesPerSecond }: Pick<ProcessLimits, 'maxBytesPerSecond'>, members: number): number {
  return maxBytesPerSecond * Math.max(1, members / COUNTED_MEMBERS)
}
