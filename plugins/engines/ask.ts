import { PeerError } from '../../kernel/index.js'
import { FrameReader, joinFrames, type ContainedProcess } from '../sandbox/index.js'
import { pack } from './codec.js'
import type { FromEngine, ToEngine } from './messages.js'
import { readAnswer } from './process/answers.js'

const MAX_ANSWER_BYTES = 4 * 1024 * 1024
/** Numbers of members of which an engine is asked what it tolerates. */
export const MAX_MEMBERS = 1024

/** What an engine's code says of itself. */
export type Description = Omit<Extract<FromEngine, { type: 'description' }>, 'type'>

/** Asks the code of an engine in a process of its own, which then ends. */
export class EngineInquiry {
  /** `launch` starts the process of the engine. */
  constructor(
    private readonly launch: () => Promise<ContainedProcess>,
    private readonly timeoutMs: number,
  ) {}

  /** Rejects with ERR_ENGINE_LOAD if the code does not load or does not answer. */
  async describe(): Promise<Description> {
    const answer = await this.ask({ type: 'describe', tolerancesUpTo: MAX_MEMBERS })
    if (answer.type !== 'description' || answer.tolerances.length !== MAX_MEMBERS) throw notLoaded(`it answered '${answer.type}'`)
    const { type: _, ...description } = answer
    return description
  }

  /** What the engine makes of options. Rejects with ERR_ENGINE_OPTIONS if it refuses them, with ERR_ENGINE_LOAD if it does not answer. */
  async check(json: string): Promise<unknown> {
    const answer = await this.ask({ type: 'check', options: json })
    if (answer.type === 'refused') throw new PeerError('ERR_ENGINE_OPTIONS', answer.message, answer.hint === undefined ? {} : { hint: answer.hint })
    if (answer.type !== 'checked') throw notLoaded(`it answered '${answer.type}'`)
    return JSON.parse(answer.options)
  }

  private async ask(question: ToEngine): Promise<FromEngine> {
    const contained = await this.launch()
    let cancel: (() => void) | undefined
    try {
      const answer = await Promise.race([
        answerOf(contained),
        contained.ended.then((reason) => {
          throw notLoaded(reason)
        }),
        new Promise<never>((_, reject) => {
          const timer = setTimeout(() => reject(notLoaded(`no answer within ${this.timeoutMs} ms`)), this.timeoutMs)
          cancel = () => clearTimeout(timer)
          contained.pipe.write(joinFrames([pack(question)]))
        }),
      ])
      if (answer.type === 'failed') throw notLoaded(answer.reason)
      return answer
    } finally {
      cancel?.()
      contained.kill('it has answered')
      await contained.ended
    }
  }
}

function answerOf({ pipe }: ContainedProcess): Promise<FromEngine> {
  const reader = new FrameReader(MAX_ANSWER_BYTES)
  return new Promise((resolve, reject) => {
    pipe.on('data', (chunk: Buffer) => {
      try {
        const [frame] = reader.push(chunk)
        if (frame !== undefined) resolve(readAnswer(frame))
      } catch (error) {
        reject(error)
      }
    })
  })
}

function notLoaded(reason: string): PeerError {
  return new PeerError('ERR_ENGINE_LOAD', `the engine cannot be loaded: ${reason}`)
}
