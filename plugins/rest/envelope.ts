import { goString } from '../../proto/index.js'

/** Answers and errors of v0.6 (spec/node.md §6.1): one member, escapes as Go's, a newline at the end. Bytes, for fastify would put a charset on strings. */
export const ok = (text: string): Buffer => Buffer.from(`{"OK":${goString(text)}}\n`)

export const error = (text: string): Buffer => Buffer.from(`{"Error":${goString(text)}}\n`)
