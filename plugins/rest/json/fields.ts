import type { JsonValue } from './parse.js'

/** What a JSON Schema says of one value; goes into the OpenAPI document. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** One member of an object that is read: what it may be, and what becomes of a value. The schema documents what `read` accepts. */
export interface Field {
  readonly schema: JsonSchema
  readonly read: (value: JsonValue, reader: Reader, raw: string) => void
}

export type Fields = Readonly<Record<string, Field>>

/** Reads values as Go's decoder does: goes on after a wrong type, and reports the first one at the end. */
export class Reader {
  #failure: string | undefined
  #struct = ''
  #path: readonly string[] = []

  constructor(private readonly source: Uint8Array) {}

  /** The text of the first error. */
  get failure(): string | undefined {
    return this.#failure
  }

  /** Notes that a value does not fit its Go type. */
  mismatch(found: string, goType: string): void {
    const where = this.#struct === '' ? 'value' : `struct field ${this.#struct}.${this.#path.join('.')}`
    this.fail(`json: cannot unmarshal ${found} into Go ${where} of type ${goType}`)
  }

  fail(text: string): void {
    this.#failure ??= text
  }

  /** Reads the members of an object; names match in any case, unknown ones are passed over, null leaves everything as it is. */
  object(value: JsonValue, struct: string, goType: string, fields: Fields): void {
    if (value.kind === 'null') return
    if (value.kind !== 'object') return this.mismatch(foundIn(value), goType)
    const [outerStruct, outerPath] = [this.#struct, this.#path]
    for (const [name, member, start, end] of value.members) {
      const found = fieldOf(fields, name)
      if (found === undefined) continue
      const [fieldName, field] = found
      this.#struct = struct
      this.#path = [...outerPath, fieldName]
      field.read(member, this, Buffer.from(this.source.subarray(start, end)).toString())
    }
    this.#struct = outerStruct
    this.#path = outerPath
  }

  /** Reads with the names of a value that decodes itself: Go puts the outer names over the inner ones. */
  within(value: JsonValue, goType: string, fields: Fields): void {
    if (value.kind === 'null') return
    if (value.kind !== 'object') return this.mismatch(foundIn(value), goType)
    for (const [name, member] of value.members) fieldOf(fields, name)?.[1].read(member, this, '')
  }
}

/** What an error calls a value. */
export function foundIn(value: JsonValue): string {
  return value.kind === 'true' || value.kind === 'false' ? 'bool' : value.kind
}

function fieldOf(fields: Fields, name: string): readonly [string, Field] | undefined {
  const exact = Object.hasOwn(fields, name) ? fields[name] : undefined
  if (exact !== undefined) return [name, exact]
  const folded = fold(name)
  return Object.entries(fields).find(([candidate]) => fold(candidate) === folded)
}

/** Case as Go folds it: the long s and the Kelvin sign are an s and a k. */
function fold(name: string): string {
  return name
    .replace(/\u017f/g, 's')
    .replace(/\u212a/g, 'k')
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}
