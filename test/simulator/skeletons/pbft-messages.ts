import { digest, hasFields, pack, unpack, type WireRequest } from './wire.js'

// Part of a LEARNING SKELETON, NOT A PRODUCT (pbft.ts).

/** What was prepared at a number, in which view. */
export interface Prepared {
  readonly view: number
  readonly requests: readonly WireRequest[]
}

/** A number of the log. */
export interface Slot {
  readonly view: number
  readonly requests: readonly WireRequest[]
  readonly digest: string
  readonly committed: boolean
  /** Outlives later views until it is replaced: view changes tell it (P set). */
  readonly prepared: Prepared | undefined
}

/** What a member says of itself when it wants another view. */
export interface Claim {
  readonly view: number
  readonly stable: number
  readonly prepared: readonly (readonly [n: number, prepared: Prepared])[]
}

export interface SignedClaim {
  readonly from: number
  readonly claim: Claim
  readonly signature: string
}

export type Message =
  | { readonly t: 'request'; readonly request: WireRequest }
  | { readonly t: 'pre-prepare'; readonly view: number; readonly n: number; readonly requests: readonly WireRequest[] }
  | { readonly t: 'prepare' | 'commit'; readonly view: number; readonly n: number; readonly digest: string }
  | { readonly t: 'checkpoint'; readonly n: number; readonly height: string; readonly hash: string }
  | { readonly t: 'view-change'; readonly signed: SignedClaim }
  | { readonly t: 'new-view'; readonly view: number; readonly claims: readonly SignedClaim[] }
  | { readonly t: 'status'; readonly view: number; readonly isActive: boolean; readonly executed: number }
  | { readonly t: 'done'; readonly n: number; readonly requests: readonly WireRequest[] }

/** Undefined for what no member would send. */
export function readMessage(bytes: Uint8Array): Message | undefined {
  const message = unpack<Message>(bytes)
  return message !== undefined && isWhole(message) ? message : undefined
}

function isWhole(message: Message): boolean {
  switch (message.t) {
    case 'request':
      return hasFields(message, { request: 'request' })
    case 'pre-prepare':
      return hasFields(message, { view: 'number', n: 'number', requests: 'requests' })
    case 'prepare':
    case 'commit':
      return hasFields(message, { view: 'number', n: 'number', digest: 'string' })
    case 'checkpoint':
      return hasFields(message, { n: 'number', height: 'string', hash: 'string' }) && /^\d{1,15}$/.test(message.height)
    case 'view-change':
      return hasFields(message, { signed: 'object' }) && isClaim(message.signed)
    case 'new-view':
      return hasFields(message, { view: 'number', claims: 'objects' }) && message.claims.every(isClaim)
    case 'status':
      return hasFields(message, { view: 'number', isActive: 'boolean', executed: 'number' })
    case 'done':
      return hasFields(message, { n: 'number', requests: 'requests' })
    default:
      return false
  }
}

function isClaim(signed: SignedClaim): boolean {
  if (!hasFields(signed, { from: 'number', claim: 'object', signature: 'string' })) return false
  const { claim } = signed
  return hasFields(claim, { view: 'number', stable: 'number', prepared: 'objects' }) && claim.prepared.every(([n, prepared]) => isPrepared(n, prepared))
}

const isPrepared = (n: unknown, prepared: unknown): boolean => Number.isSafeInteger(n) && hasFields(prepared, { view: 'number', requests: 'requests' })

export const keyOf = (n: number): string => `slot.${n}`
export const digestOf = (requests: readonly WireRequest[]): string => digest(...requests.map(([id]) => id))

/** Everybody derives the same slots from the same claims: at each number what was prepared in the highest view, or nothing. */
export function slotsOf(claims: readonly SignedClaim[]): { readonly base: number; readonly slots: readonly (readonly WireRequest[])[] } {
  const base = Math.max(...claims.map(({ claim }) => claim.stable))
  const best = new Map<number, Prepared>()
  for (const [n, prepared] of claims.flatMap(({ claim }) => claim.prepared)) if (prepared.view > (best.get(n)?.view ?? -1)) best.set(n, prepared)
  const last = Math.max(base, ...best.keys())
  return { base, slots: Array.from({ length: last - base }, (_, offset) => best.get(base + 1 + offset)?.requests ?? []) }
}

/** What `verify` is asked: the claims and their signatures. */
export const signedItems = (claims: readonly SignedClaim[]): { readonly member: number; readonly bytes: Uint8Array; readonly signature: Uint8Array }[] =>
  claims.map(({ from, claim, signature }) => ({ member: from, bytes: pack(claim), signature: Buffer.from(signature, 'base64') }))

/** Who said what: a set of members by kind, view, number and value. */
export class Votes {
  readonly #voters = new Map<string, Set<number>>()

  /** Returns how many say so now. */
  add(from: number, ...what: readonly (string | number)[]): number {
    const voters = this.of(...what)
    this.#voters.set(what.join(' '), voters.add(from))
    return voters.size
  }

  of(...what: readonly (string | number)[]): Set<number> {
    return this.#voters.get(what.join(' ')) ?? new Set()
  }
}
