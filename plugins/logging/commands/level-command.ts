import { Client } from '@grpc/grpc-js'
import { type LogLevelList, LogLevelsService } from '../../../proto/index.js'
import { columns } from '../../../kernel/index.js'
import { GrpcCommand, dialFailure } from '../../grpc/index.js'

/** How long a peer may take to answer. */
export const ANSWER_MS = 10_000
export { LogLevelsService }

/** Base of `peer logging …`. */
export abstract class LevelCommand extends GrpcCommand {
  protected async connect(): Promise<Client> {
    try {
      return await this.dial(Client)
    } catch (error) {
      throw dialFailure('', error)
    }
  }

  /** Prints levels: one a line, those that a component has of its own marked with *. */
  protected show({ fallback, components }: LogLevelList, withFallback: boolean): void {
    const rows = components.map(({ component, level, isOwn }) => [component, isOwn ? `${level} *` : level] as const)
    const lines = columns(withFallback ? [...rows, ['(others)', fallback]] : rows)
    this.report({ fallback, components }, `${lines.map((line) => line.trimStart()).join('\n')}\n`)
  }
}
