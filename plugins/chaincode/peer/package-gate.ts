import { PeerError } from '../../../kernel/index.js'

const RESOURCE_EXHAUSTED = 8
/** To read and bundle sources takes a processor, and memory for all of them. */
const MAX_RUNNING = 2
const MAX_WAITING = 64

/** Lets few packages be made at a time, and few more wait: a client that asks for a thousand at once takes no more of the machine than one that asks in turn. */
export class PackageGate {
  private running = 0
  private readonly waiting: (() => void)[] = []

  /** Throws ERR_CHAINCODE_BUSY if too many wait already. */
  async pass<T>(pack: () => Promise<T>): Promise<T> {
    await this.enter()
    try {
      return await pack()
    } finally {
      const next = this.waiting.shift()
      if (next) next()
      else this.running--
    }
  }

  private async enter(): Promise<void> {
    if (this.running < MAX_RUNNING) {
      this.running++
      return
    }
    if (this.waiting.length >= MAX_WAITING) {
      throw new PeerError('ERR_CHAINCODE_BUSY', `${MAX_WAITING} chaincodes wait to be packaged already, no more are accepted`, {
        grpcStatus: RESOURCE_EXHAUSTED,
        retryable: true,
        hint: 'try again in a moment',
      })
    }
    await new Promise<void>((resolve) => this.waiting.push(resolve))
  }
}
