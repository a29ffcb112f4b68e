import { Buffer } from 'node:buffer'

/** Bytes as people and programs read them: two lower-case digits each; none are an empty text. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}
