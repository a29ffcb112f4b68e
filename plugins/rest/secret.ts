import type { JsonValue } from './json/parse.js'
import { JsonSyntaxError, parseJson } from './json/parse.js'
import { foundIn } from './json/fields.js'

/** The body of a login. */
export interface Secret {
  readonly enrollId: string
  readonly enrollSecret: string
}

/**
 * Reads `{"enrollId":"u","enrollSecret":"s"}`: exact names, unknown members refused, what follows the object ignored (spec/node.md §6.3).
 *
 * @returns the secret, or the text of the original's parser
 */
export function readSecret(body: Uint8Array): Secret | { readonly wrong: string } {
  let value: JsonValue
  try {
    value = parseJson(body, { first: true })
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error
    if (!error.isTruncated) return { wrong: error.message }
    return { wrong: Buffer.from(body).toString('latin1').trim() === '' ? 'EOF' : 'unexpected EOF' }
  }
  if (value.kind === 'null') return { enrollId: '', enrollSecret: '' }
  if (value.kind !== 'object') return { wrong: `json: cannot unmarshal ${foundIn(value)} into Go value of type map[string]json.RawMessage` }
  const members = new Map<string, JsonValue>(value.members.map(([name, member]) => [name, member]))
  const texts: Record<keyof Secret, string> = { enrollId: '', enrollSecret: '' }
  for (const name of ['enrollId', 'enrollSecret'] as const) {
    const member = members.get(name)
    members.delete(name)
    if (member === undefined || member.kind === 'null') continue
    if (member.kind !== 'string') return { wrong: `json: cannot unmarshal ${foundIn(member)} into Go value of type string` }
    texts[name] = member.text
  }
  const [unknown] = members.keys()
  return unknown === undefined ? texts : { wrong: `unknown field ${JSON.stringify(unknown)} in protos.Secret` }
}
