import fc from 'fast-check'
import { expect, it } from 'vitest'
import { SlotMap } from '../../plugins/consensus/slot-map.js'

const step = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), key: fc.integer({ min: 0, max: 12 }) }),
  fc.record({ kind: fc.constant('delete' as const), key: fc.integer({ min: 0, max: 12 }) }),
  fc.record({ kind: fc.constant('clear' as const), key: fc.constant(0) }),
)

it('does what a Map does', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const [slots, map] = [new SlotMap<number, { readonly at: number }>(), new Map<number, { readonly at: number }>()]
      for (const [at, { kind, key }] of steps.entries()) {
        if (kind === 'set') {
          slots.set(key, { at })
          map.set(key, { at })
        } else if (kind === 'delete') expect(slots.delete(key)).toBe(map.delete(key))
        else {
          slots.clear()
          map.clear()
        }
        expect([slots.size, slots.get(key), slots.has(key)]).toEqual([map.size, map.get(key), map.has(key)])
        expect([...slots]).toEqual([...map])
        expect([[...slots.keys()], [...slots.values()]]).toEqual([[...map.keys()], [...map.values()]])
      }
    }),
  )
})

it('may be changed while it is gone through', () => {
  const slots = new SlotMap<string, { readonly name: string }>()
  for (const name of ['a', 'b', 'c']) slots.set(name, { name })
  const seen: string[] = []
  for (const { name } of slots.values()) {
    seen.push(name)
    slots.delete(name)
    if (name === 'b') slots.set('d', { name: 'd' })
  }
  expect(seen).toEqual(['a', 'b', 'c', 'd'])
})
