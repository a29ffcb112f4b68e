import type { EngineHost, EngineRequest, EngineStart, Member, MemberIndex } from 'weft/consensus'
import { type Message, messagesOf } from '../src/messages.js'
import { domainOf } from '../src/block.js'

export const MEMBERS: readonly Member[] = [0, 1, 2, 3].map((index) => ({ index, id: `vp${index}` }))
export const DOMAIN = domainOf(0n, MEMBERS)
export const HEAD = { height: 1n, hash: Buffer.alloc(64), blob: Buffer.alloc(0) }

export interface Sent {
  readonly to: number | 'all'
  readonly message: Message
}

/** Writes down what an engine asks for. */
export class FakeHost implements EngineHost {
  readonly members = MEMBERS
  readonly head = HEAD
  readonly deliveryWindow = 8
  now = 1_000_000
  readonly sent: Sent[] = []
  readonly delivered: { readonly tag: string; readonly requests: readonly EngineRequest[] }[] = []
  readonly signed: string[] = []
  readonly verified: { readonly token: string; readonly items: number }[] = []
  readonly records = new Map<string, Uint8Array>()
  readonly halted: string[] = []

  constructor(readonly self: MemberIndex) {}

  random = (): number => 0
  send(to: MemberIndex, bytes: Uint8Array): void {
    this.#note(to, bytes)
  }
  broadcast(bytes: Uint8Array): void {
    this.#note('all', bytes)
  }
  put(key: string, bytes: Uint8Array): void {
    this.records.set(key, bytes)
  }
  delete(key: string): void {
    this.records.delete(key)
  }
  deliver(tag: string, requests: readonly EngineRequest[]): void {
    this.delivered.push({ tag, requests })
  }
  sign(token: string): void {
    if (token !== 'probe') this.signed.push(token)
  }
  verify(token: string, items: readonly unknown[]): void {
    this.verified.push({ token, items: items.length })
  }
  halt(reason: string): void {
    this.halted.push(reason)
  }
  execute = (): void => undefined
  commit = (): void => undefined
  rollback = (): void => undefined
  transferTo = (): void => undefined
  setValid = (): void => undefined
  setTimer = (): void => undefined
  cancelTimer = (): void => undefined
  forget = (): void => undefined
  status = (): void => undefined
  metric = (): void => undefined
  log = (): void => undefined

  /** A new life begins with these. */
  start(): EngineStart {
    return { epoch: 0n, head: HEAD, metadata: undefined, restored: new Map(this.records), members: MEMBERS, seed: 1n }
  }

  #note(to: Sent['to'], bytes: Uint8Array): void {
    const message = messagesOf(DOMAIN).decode(bytes)
    if (!message) throw new Error('the engine sent what no engine can read')
    this.sent.push({ to, message })
  }
}
