/** The field types that occur in the v0.6 messages. There are no packed, fixed-width or floating-point fields. */
export type FieldKind = 'uint32' | 'int32' | 'enum' | 'bool' | 'uint64' | 'int64' | 'bytes' | 'string' | 'message'

/** One field as the generator writes it. `oneof` is the index of the group that the field belongs to. */
export interface FieldRow {
  readonly number: number
  readonly kind: FieldKind
  readonly repeated?: true
  readonly oneof?: number
  readonly message?: string
}

/** One message as the generator writes it. A closed message rejects unknown fields (map entries, spec/wire.md §2.9). */
export interface MessageRow {
  readonly name: string
  readonly isClosed: boolean
  readonly fields: readonly FieldRow[]
}
