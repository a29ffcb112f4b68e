import { BinaryWriter } from '@bufbuild/protobuf/wire'
import { canonicalBlock, canonicalise } from './canonical.js'
import { decode, encode } from './codec.js'
import { Cursor } from './cursor.js'
import { SyncBlockRange, SyncBlocks } from './gen/fabric.js'
import { schemaOf } from './schema.js'

const SYNC_BLOCKS = schemaOf('protos.SyncBlocks')
const BLOCKS_FIELD = 2
const BLOCKS_TAG = (BLOCKS_FIELD << 3) | 2

/** Serialises a `protos.SyncBlocks` of serialised blocks, which enter it as they are stored: text in them that is not UTF-8 survives. */
export function encodeSyncBlocks(range: SyncBlockRange, blocks: readonly Uint8Array[]): Uint8Array {
  const writer = new BinaryWriter().raw(encode(SyncBlocks, { range, blocks: [] }))
  for (const block of blocks) writer.uint32(BLOCKS_TAG).bytes(canonicalBlock(block))
  return writer.finish()
}

/** Range and serialised blocks of a serialised `protos.SyncBlocks`; the blocks are canonical, and views of it where it is canonical itself. Throws WireError. */
export function decodeSyncBlocks(bytes: Uint8Array): { readonly range: SyncBlockRange | undefined; readonly blocks: readonly Uint8Array[] } {
  const message = canonicalise(SYNC_BLOCKS, bytes)
  const cursor = new Cursor(message)
  const blocks: Uint8Array[] = []
  let range: SyncBlockRange | undefined
  while (cursor.position < cursor.limit) {
    const field = cursor.fieldNumber()
    const end = cursor.lengthDelimitedEnd()
    const content = message.subarray(cursor.position, end)
    if (field === BLOCKS_FIELD) blocks.push(content)
    else range = decode(SyncBlockRange, content)
    cursor.position = end
  }
  return { range, blocks }
}
