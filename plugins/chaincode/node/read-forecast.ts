import { equalBytes, text } from '../api/bytes.js'
import type { Call } from '../runtime.js'

/** Functions whose habits are remembered. */
const MAX_FUNCTIONS = 256
/** Arguments that can be keys. */
const MAX_ARGUMENTS = 16
const MAX_NAME_BYTES = 64

/**
 * Learns which arguments of a chaincode's functions are keys that it reads, so that their values can travel with the call:
 * each value foreseen saves a round trip over the pipe. A wrong forecast costs one needless read, and nothing else.
 */
export class ReadForecast {
  readonly #habits = new Map<string, boolean[]>()

  /** Keys that this call will probably read. */
  keys(call: Call): Uint8Array[] {
    const habits = this.#habits.get(functionOf(call))
    if (habits === undefined) return []
    return call.args.filter((_, index) => habits[index] === true)
  }

  /** Notes that a call has read a key that was not foreseen. */
  observe(call: Call, key: Uint8Array): void {
    const index = call.args.findIndex((arg, at) => at > 0 && at < MAX_ARGUMENTS && equalBytes(arg, key))
    if (index === -1) return
    const name = functionOf(call)
    const habits = this.#habits.get(name)
    if (habits !== undefined) habits[index] = true
    else if (this.#habits.size < MAX_FUNCTIONS) {
      const learned: boolean[] = []
      learned[index] = true
      this.#habits.set(name, learned)
    }
  }
}

function functionOf({ kind, args }: Call): string {
  return `${kind} ${text((args[0] ?? new Uint8Array(0)).subarray(0, MAX_NAME_BYTES))}`
}
