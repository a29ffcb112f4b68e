import { readFileSync } from 'node:fs'

/** A JSON value of a vector file. */
export type Json = string | number | boolean | null | Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json | undefined
}

/** The text of test/vectors/<name>.json; the caller parses it and states its shape. */
export const vectorText = (name: string): string => readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8')

export const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))
export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const fromText = (text: string): Uint8Array => new TextEncoder().encode(text)

export interface JsonTimestamp {
  readonly seconds: number | string
  readonly nanos: number
}

export const toTimestamp = ({ seconds, nanos }: JsonTimestamp) => ({ seconds: BigInt(seconds), nanos })
