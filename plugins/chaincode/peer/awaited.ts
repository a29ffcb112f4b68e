import type { ChaincodeRuntime } from '../runtime.js'

/** A start whose REGISTER has not come yet. */
export interface Awaited {
  /** Resolves with the stream; never rejects. */
  readonly registered: Promise<ChaincodeRuntime>
  /** Nobody waits any more. */
  cancel(): void
}

/** Chaincodes that this peer has started, by name, until they register: the only ones that may outside development mode (spec/chaincode.md §3.4). */
export class AwaitedChaincodes {
  private readonly waiting = new Map<string, (stream: ChaincodeRuntime) => void>()

  /** A later start under the name takes the place of an earlier one, which then gets nothing. */
  expect(name: string): Awaited {
    let resolve: (stream: ChaincodeRuntime) => void = () => undefined
    const registered = new Promise<ChaincodeRuntime>((settle) => {
      resolve = settle
    })
    this.waiting.set(name, resolve)
    return {
      registered,
      cancel: () => {
        if (this.waiting.get(name) === resolve) this.waiting.delete(name)
      },
    }
  }

  /** Gives a registering stream to who waits for it. Returns whether somebody does. */
  take(stream: ChaincodeRuntime): boolean {
    const resolve = this.waiting.get(stream.name)
    if (resolve === undefined) return false
    this.waiting.delete(stream.name)
    resolve(stream)
    return true
  }
}
