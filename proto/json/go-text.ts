import { isUtf8 } from 'node:buffer'

const REPLACEMENT = '\ufffd'
/** What Go escapes in JSON: controls, quotes, backslashes, what means something in HTML or ends lines in scripts, and halves of surrogate pairs. */
const ESCAPED = /[^\u0020-\uffff]|["\\<>&\u2028\u2029]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g
const SHORT: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** A JSON string as v0.6 writes it, quotes included (spec/node.md §6.2). */
export function goString(text: string): string {
  return `"${text.replace(ESCAPED, escape)}"`
}

function escape(character: string): string {
  const code = character.charCodeAt(0)
  if (code >= 0xd800 && code < 0xe000) return REPLACEMENT
  return SHORT[character] ?? `\\u${code.toString(16).padStart(4, '0')}`
}

/** Bytes as text: every byte that belongs to no valid UTF-8 sequence becomes one U+FFFD. (Other decoders replace a whole broken sequence by one.) */
export function goUtf8(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (isUtf8(buffer)) return buffer.toString('utf8')
  let text = ''
  for (let at = 0; at < buffer.length; ) {
    const length = sequenceLength(buffer, at)
    text += length === 0 ? REPLACEMENT : buffer.toString('utf8', at, at + length)
    at += Math.max(1, length)
  }
  return text
}

/** Length of the valid sequence that begins here; 0 if there is none. */
function sequenceLength(buffer: Buffer, at: number): number {
  const first = buffer[at] ?? 0
  if (first < 0x80) return 1
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
  return at + length <= buffer.length && isUtf8(buffer.subarray(at, at + length)) ? length : 0
}

/** A byte as Go's parser names it in an error. */
export function quotedByte(byte: number): string {
  if (byte === 0x27) return "'\\''"
  if (byte === 0x22) return "'\"'"
  if (byte === 0x5c) return "'\\\\'"
  const short = CONTROL[byte]
  if (short !== undefined) return `'${short}'`
  if (byte < 0x20 || byte === 0x7f) return `'\\x${byte.toString(16).padStart(2, '0')}'`
  if ((byte >= 0x80 && byte <= 0xa0) || byte === 0xad) return `'\\u${byte.toString(16).padStart(4, '0')}'`
  return `'${String.fromCharCode(byte)}'`
}

const CONTROL: Readonly<Record<number, string>> = { 7: '\\a', 8: '\\b', 9: '\\t', 10: '\\n', 11: '\\v', 12: '\\f', 13: '\\r' }
