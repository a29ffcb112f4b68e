import { MESSAGE_ROWS } from './gen/schemas.js'
import type { FieldKind, FieldRow, MessageRow } from './schema-rows.js'
import { WireError } from './wire-error.js'

/** One field with what a reader needs to know about it at hand. */
export interface FieldSchema {
  readonly number: number
  readonly kind: FieldKind
  readonly wireType: number
  readonly isRepeated: boolean
  readonly oneof: number | undefined
  /** Repeated elements and oneof members are written even when they hold their default. */
  readonly keepsDefault: boolean
  /** The schema of the sub-message, when `kind` is `message`. */
  readonly message: MessageSchema | undefined
}

/** The fields of a message, indexed by field number. */
export interface MessageSchema {
  readonly name: string
  readonly isClosed: boolean
  readonly fields: readonly (FieldSchema | undefined)[]
}

export const VARINT = 0
export const FIXED64 = 1
export const LENGTH_DELIMITED = 2
export const START_GROUP = 3
export const END_GROUP = 4
export const FIXED32 = 5

const LENGTH_DELIMITED_KINDS: ReadonlySet<FieldKind> = new Set<FieldKind>(['bytes', 'string', 'message'])

/** Resolves the names of sub-messages. Building a message before its parent also proves that no message contains itself, which bounds the depth of every walk. */
function linkSchemas(rows: readonly MessageRow[]): ReadonlyMap<string, MessageSchema> {
  const rowByName = new Map(rows.map((row) => [row.name, row]))
  const linked = new Map<string, MessageSchema>()
  const open = new Set<string>()

  const link = (name: string): MessageSchema => {
    const known = linked.get(name)
    if (known) return known
    const row = rowByName.get(name)
    if (!row || open.has(name)) throw new WireError('ERR_WIRE_SCHEMA', `message ${name} is ${row ? 'recursive' : 'unknown'}; run npm run generate`)
    open.add(name)
    const fields: (FieldSchema | undefined)[] = []
    for (const field of row.fields) fields[field.number] = linkField(field)
    const schema = { name, isClosed: row.isClosed, fields }
    linked.set(name, schema)
    return schema
  }
  const linkField = (field: FieldRow): FieldSchema => ({
    number: field.number,
    kind: field.kind,
    wireType: LENGTH_DELIMITED_KINDS.has(field.kind) ? LENGTH_DELIMITED : VARINT,
    isRepeated: field.repeated === true,
    oneof: field.oneof,
    keepsDefault: field.repeated === true || field.oneof !== undefined,
    message: field.message === undefined ? undefined : link(field.message),
  })

  for (const row of rows) link(row.name)
  return linked
}

const SCHEMAS = linkSchemas(MESSAGE_ROWS)

/** The schema of a message by its full protobuf name, such as `protos.Block`. Throws ERR_WIRE_SCHEMA for a name that no .proto file declares. */
export function schemaOf(name: string): MessageSchema {
  const schema = SCHEMAS.get(name)
  if (!schema) throw new WireError('ERR_WIRE_SCHEMA', `no .proto file declares the message ${name}`)
  return schema
}
