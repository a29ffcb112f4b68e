import * as z from 'zod'
import { PeerError } from '../../../kernel/index.js'
import { type Effect, type EngineRequest, LONGEST_METRIC, LONGEST_WORD, type MemberIndex, requestId, type VoteMark } from '../../consensus/index.js'
import { keepable } from '../../sandbox/index.js'
import { printable } from '../../terminal/index.js'
import { unpack, type UnpackLimits } from '../codec.js'
import type { FromEngine } from '../messages.js'

const MAX_TEXT = 64 * 1024
const MAX_VIEW_DEPTH = 16
const MAX_MEMBERS = 10_000
/** A batch of twenty thousand requests has a fifth of this. */
const LIMITS: UnpackLimits = { maxJsonBytes: 16 * 1024 * 1024, maxValues: 500_000 }

const bytes = z.instanceof(Uint8Array)
/** People read it in their terminals. */
const words = z
  .string()
  .max(MAX_TEXT)
  .transform((text) => printable(text))
const tag = z.string().max(LONGEST_WORD)
const member = z.int().min(0).max(MAX_MEMBERS)
const id = z.string().regex(/^[0-9a-f]{64}$/)
const recordKey = z.string().regex(/^[\x20-\x7e]{1,512}$/)
const maybeBytes = z.custom<Uint8Array | undefined>((value) => value === undefined || value instanceof Uint8Array)
const record = z.tuple([recordKey, maybeBytes])
const request: z.ZodType<EngineRequest> = z.object({ id, bytes })
const mark = z.strictObject({ slot: tag, value: tag })
const vote = z.custom<VoteMark | undefined>((value) => value === undefined || mark.safeParse(value).success)
const metadata = maybeBytes

/** A list whose first mistake is the last that is looked at: who lies may make as many as fit. */
function listOf<T>(one: z.ZodType<T>): z.ZodType<T[]> {
  return z.unknown().transform((value, context): T[] => {
    if (!Array.isArray(value)) {
      context.addIssue({ code: 'custom', message: 'expected a list' })
      return z.NEVER
    }
    const list: readonly unknown[] = value
    const read: T[] = []
    for (const [index, item] of list.entries()) {
      const found = one.safeParse(item)
      if (!found.success) {
        const [issue] = found.error.issues
        context.addIssue({ code: 'custom', path: [index, ...(issue?.path ?? [])], message: issue?.message ?? 'not as expected' })
        return z.NEVER
      }
      read.push(found.data)
    }
    return read
  })
}

const effect = z.discriminatedUnion('type', [
  z.object({ type: z.literal('send'), to: member, bytes, vote }),
  z.object({ type: z.literal('broadcast'), bytes, vote }),
  z.object({ type: z.literal('record'), record }),
  z.object({ type: z.literal('deliver'), tag, requests: listOf(request), metadata, put: listOf(record) }),
  z.object({ type: z.literal('execute'), tag, requests: listOf(request) }),
  z.object({ type: z.literal('commit'), tag, metadata }),
  z.object({ type: z.literal('rollback') }),
  z.object({ type: z.literal('transfer'), target: z.object({ height: z.bigint().min(0n), hash: bytes, members: z.array(member).max(MAX_MEMBERS) }) }),
  z.object({ type: z.literal('forget'), ids: listOf(id) }),
  z.object({ type: z.literal('valid'), valid: z.boolean() }),
  z.object({ type: z.literal('timer'), name: tag, delayMs: z.number().min(0).or(z.literal(Number.POSITIVE_INFINITY)) }),
  z.object({ type: z.literal('cancel-timer'), name: tag }),
  z.object({ type: z.literal('sign'), token: tag, bytes }),
  z.object({ type: z.literal('verify'), token: tag, items: listOf(z.object({ member, bytes, signature: bytes })) }),
  z.object({ type: z.literal('status'), view: z.string().max(MAX_TEXT) }),
  z.object({
    type: z.literal('metric'),
    name: z.string().max(LONGEST_METRIC),
    value: z
      .number()
      .or(z.nan())
      .or(z.literal([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])),
  }),
  z.object({ type: z.literal('log'), level: z.enum(['error', 'warning', 'info', 'debug']), message: z.string() }),
  z.object({ type: z.literal('halt'), reason: z.string() }),
])

const answer = z.discriminatedUnion('type', [
  z.object({ type: z.literal('loaded') }),
  z.object({ type: z.literal('effects'), effects: listOf(effect) }),
  z.object({ type: z.literal('failed'), reason: words }),
  z.object({
    type: z.literal('description'),
    name: worded(
      /^[a-z0-9][a-z0-9._-]{0,63}$/,
      ({ input }) =>
        `the name of the engine: expected small letters, digits, hyphens, dots and underscores, at most 64, such as my-engine; found ${found(input)}`,
    ),
    version: worded(/^[A-Za-z0-9][\w.+-]{0,63}$/, ({ input }) => `the version of the engine: expected one such as 1.0.0, as a string; found ${found(input)}`),
    agreement: z.boolean({ error: ({ input }) => `whether the engine gives agreement: expected true or false; found ${found(input)}` }),
    // Of one member first: none may bear as many as there are.
    tolerances: z.array(z.tuple([z.int().min(0), z.int().min(0)])).refine((all) => all.every((pair, index) => pair.every((faults) => faults <= index))),
    checksMembers: z.boolean(),
  }),
  z.object({ type: z.literal('checked'), options: z.string() }),
  z.object({ type: z.literal('refused'), message: words, hint: words.optional() }),
])

/**
 * Reads a frame of an engine's process, which may hold anything.
 *
 * @throws PeerError ERR_ENGINE_PIPE with what was found
 */
export function readAnswer(frame: Uint8Array): FromEngine {
  let value: unknown
  try {
    // What is kept of a frame must not hold a whole chunk of the pipe.
    value = unpack(keepable(frame), LIMITS)
  } catch (cause) {
    throw new PeerError('ERR_ENGINE_PIPE', `a frame that cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
  const read = answer.safeParse(value)
  if (read.success) return read.data
  const [issue] = read.error.issues
  if (issue?.path.length === 1 && (issue.path[0] === 'name' || issue.path[0] === 'version' || issue.path[0] === 'agreement'))
    throw new PeerError('ERR_ENGINE_LOAD', `the engine cannot be loaded: ${issue.message}`)
  throw new PeerError('ERR_ENGINE_PIPE', `an answer that means nothing: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`.slice(0, 500))
}

function worded(form: RegExp, error: (issue: { readonly input?: unknown }) => string): z.ZodString {
  return z.string({ error }).regex(form, { error })
}

function found(input: unknown): string {
  return JSON.stringify(String(input).slice(0, 100))
}

/**
 * The effects of an answer, as a host carries them out.
 *
 * @throws PeerError ERR_ENGINE_PIPE for one that makes no sense here
 */
export function effectsOf(answered: Extract<FromEngine, { type: 'effects' }>, self: MemberIndex, members: number): Effect[] {
  return answered.effects.map((packed) => {
    if (packed.type === 'status') return { type: 'status', view: viewOf(packed.view) }
    if (packed.type === 'send' && (packed.to === self || packed.to >= members)) throw senseless(`it sends to member ${packed.to} of ${members}, being ${self}`)
    if (packed.type === 'deliver' || packed.type === 'execute') checkRequests(packed.requests)
    return packed
  })
}

/** The identity of a request is that of its bytes: an engine that says otherwise would have one journaled and another executed. */
function checkRequests(requests: readonly EngineRequest[]): void {
  const wrong = requests.find((candidate) => requestId(candidate.bytes) !== candidate.id)
  if (wrong !== undefined) throw senseless(`it delivers a request ${wrong.id.slice(0, 16)} with the bytes of another`)
}

function viewOf(text: string): Readonly<Record<string, unknown>> {
  let view: unknown
  try {
    view = JSON.parse(text)
  } catch (cause) {
    throw new PeerError('ERR_ENGINE_PIPE', 'a status that is not JSON', { cause })
  }
  if (typeof view !== 'object' || view === null || Array.isArray(view)) throw senseless('its status is no object')
  if (!isShallow(view, MAX_VIEW_DEPTH)) throw senseless(`its status is deeper than ${MAX_VIEW_DEPTH}`)
  return Object.fromEntries(Object.entries(view))
}

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return levels > 0 && Object.values(value).every((part) => isShallow(part, levels - 1))
}

function senseless(what: string): PeerError {
  return new PeerError('ERR_ENGINE_PIPE', what)
}
