import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { changedNodeRow, checkNodeRow, hasChild, nodeRowHash } from '../../plugins/ledger/bucket-tree/node-row.js'
import { decodeNode, nodeHash } from '../../plugins/ledger/bucket-tree/node.js'
import { hex } from './kit.js'

const hash = fc.uint8Array({ minLength: 64, maxLength: 64 })

describe('the row of an inner node', () => {
  it('holds, after any changes, the children and the hash that the children alone give', () => {
    const step = fc.array(fc.option(fc.option(hash, { nil: null }), { nil: undefined }), { minLength: 6, maxLength: 6 })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 6 }), (steps) => {
        const children = Array.from({ length: 6 }, (): Uint8Array | undefined => undefined)
        let row: Uint8Array | undefined
        for (const changes of steps) {
          for (const [slot, change] of changes.entries()) if (change !== undefined) children[slot] = change ?? undefined
          row = changedNodeRow(row, changes, 6)
          expect(hex(row && nodeRowHash(row))).toBe(hex(nodeHash(children)))
          if (!row) continue
          checkNodeRow(row, 6)
          expect(decodeNode(row, 6).map(hex)).toEqual(children.map(hex))
          for (const [slot, child] of children.entries()) expect(hasChild(row, slot)).toBe(child !== undefined)
        }
      }),
    )
  })

  it('is refused when it is damaged', () => {
    const row = changedNodeRow(undefined, [undefined, new Uint8Array(64).fill(1)], 3) ?? new Uint8Array(0)
    checkNodeRow(row, 3)
    for (const damaged of [row.subarray(1), row.subarray(0, -1), Buffer.concat([row, row]), row.map((byte) => (byte === 64 ? 63 : byte)), new Uint8Array(0)]) {
      expect(() => checkNodeRow(damaged, 3)).toThrow(/row of an inner node/)
    }
  })
})
