import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { engineNames } from '../../plugins/engine-authoring/names.js'

describe('the name of a new engine', () => {
  it('is told in the forms that code uses', () => {
    expect(engineNames('my-2nd-engine')).toEqual({
      name: 'my-2nd-engine',
      packageName: 'weft-engine-my-2nd-engine',
      pascal: 'My2ndEngine',
      upper: 'MY_2ND_ENGINE',
    })
  })

  it.each(['', 'My', '2nd', 'a_b', 'a--b', 'a-', '-a', '../x', 'a/b', 'a b', 'ä', `a${'b'.repeat(40)}`, 'pbft', 'noops', 'weft-engine-x'])(
    'is refused with a reason: %j',
    (name) => {
      expect(() => engineNames(name)).toThrow(expect.objectContaining({ code: 'ERR_ENGINE_NAME', hint: expect.any(String) }))
    },
  )

  it('is a word of code, a type and a directory, or an error', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 50 }), (name) => {
        try {
          const { pascal, upper, packageName } = engineNames(name)
          expect([pascal, upper].every((word) => /^[A-Za-z][A-Za-z0-9_]*$/.test(word))).toBe(true)
          expect(packageName).toMatch(/^[a-z0-9-]+$/)
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_ENGINE_NAME' })
        }
      }),
    )
  })
})
