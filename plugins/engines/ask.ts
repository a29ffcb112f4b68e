import { messageOf, PeerError } from '../../kernel/index.js'
import type { Member } from '../consensus/index.js'
import { type ContainedProcess, FrameReader, writeFrames } from '../sandbox/index.js'
import { pack } from './codec.js'
import type { FromEngine, ToEngine } from './messages.js'
import { readAnswer } from './process/answers.js'

const MAX_ANSWER_BYTES = 4 * 1024 * 1024
/** Numbers of members of which an engine is asked what it tolerates. */
export const MAX_MEMBERS = 1024

/** What an engine's code says of itself. */
export type Description = Omit<Extract<FromEngine, { type: 'description' }>, 'type'>

/** An engine's code that answers questions. */
export interface AskedEngine {
  /** Rejects with ERR_ENGINE_LOAD if the code does not load or does not answer. */
  describe(): Promise<Description>
  /** What the engine makes of options, given as JSON, for `members` if they are given. Rejects with ERR_ENGINE_OPTIONS if it refuses them, with ERR_ENGINE_LOAD if it does not answer. */
  check(json: string, members?: readonly Member[]): Promise<unknown>
}

/** Asks the code of an engine in a process of its own, which then ends. */
export class EngineInquiry {
  /** `launch` starts the process of the engine. */
  constructor(
    private readonly launch: () => Promise<ContainedProcess>,
    private readonly timeoutMs: number,
  ) {}

  /** Starts the process, has it asked, and ends it. Resolves when nothing of it is left. */
  async inquire<T>(ask: (engine: AskedEngine) => Promise<T>): Promise<T> {
    const contained = await this.launch()
    const answers = answersOf(contained)
    const question = (message: ToEngine): Promise<FromEngine> => this.within(contained, answers, message)
    try {
      return await ask({ describe: () => describe(question), check: (json, members) => check(question, json, members) })
    } finally {
      contained.kill('it has answered')
      await contained.ended
    }
  }

  private async within(contained: ContainedProcess, answers: Answers, message: ToEngine): Promise<FromEngine> {
    let cancel = (): void => undefined
    const late = new Promise<never>((_, reject) => {
      const tooLate = (): void => reject(notLoaded(`${answers.isLoaded ? IN_TIME[message.type] : NOT_IN_TIME} within ${this.timeoutMs} ms`))
      const timer = setTimeout(tooLate, this.timeoutMs)
      cancel = () => clearTimeout(timer)
    })
    const lost = contained.ended.then((reason) => {
      throw notLoaded(reason)
    })
    try {
      const answered = await Promise.race([answers.to(message), lost, late])
      if (answered.type === 'failed') throw notLoaded(answered.reason)
      return answered
    } finally {
      cancel()
    }
  }
}

async function describe(ask: (message: ToEngine) => Promise<FromEngine>): Promise<Description> {
  const answer = await ask({ type: 'describe', tolerancesUpTo: MAX_MEMBERS })
  if (answer.type !== 'description' || answer.tolerances.length !== MAX_MEMBERS) throw notLoaded(`it answered '${answer.type}'`)
  const { type: _, ...description } = answer
  return description
}

async function check(ask: (message: ToEngine) => Promise<FromEngine>, json: string, members: readonly Member[] | undefined): Promise<unknown> {
  const answer = await ask({ type: 'check', options: json, members })
  if (answer.type === 'refused') throw new PeerError('ERR_ENGINE_OPTIONS', answer.message, answer.hint === undefined ? {} : { hint: answer.hint })
  if (answer.type !== 'checked') throw notLoaded(`it answered '${answer.type}'`)
  try {
    return JSON.parse(answer.options)
  } catch (cause) {
    throw new PeerError('ERR_ENGINE_LOAD', 'the engine cannot be loaded: what it made of its options is no JSON', { cause })
  }
}

const NOT_IN_TIME = 'its code did not load (what it does or awaits at the top of a module does not end)'
const IN_TIME: Partial<Record<ToEngine['type'], string>> = {
  describe: 'it did not say what it is, and what it tolerates,',
  check: 'its parseOptions or checkMembers did not return',
}

interface Answers {
  /** The code is there. */
  readonly isLoaded: boolean
  /** Sends a question and resolves with the answer to it; one at a time. */
  to(message: ToEngine): Promise<FromEngine>
}

function answersOf({ pipe }: ContainedProcess): Answers {
  const reader = new FrameReader(MAX_ANSWER_BYTES)
  let settle: { readonly resolve: (answer: FromEngine) => void; readonly reject: (reason: unknown) => void } | undefined
  let isLoaded = false
  pipe.on('data', (chunk: Buffer) => {
    try {
      for (const frame of reader.push(chunk)) {
        const answer = readAnswer(frame)
        if (answer.type === 'loaded') isLoaded = true
        else settle?.resolve(answer)
      }
    } catch (error) {
      settle?.reject(error instanceof PeerError && error.code === 'ERR_ENGINE_LOAD' ? error : notLoaded(`it broke the rules of its pipe: ${messageOf(error)}`))
    }
  })
  return {
    get isLoaded() {
      return isLoaded
    },
    to: (message) =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject }
        writeFrames(pipe, [pack(message)])
      }),
  }
}

function notLoaded(reason: string): PeerError {
  return new PeerError('ERR_ENGINE_LOAD', `the engine cannot be loaded: ${reason}`)
}
