import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseAttributes, parseConstructor } from '../../plugins/devops/constructor-message.js'

interface CtorVectors {
  readonly ctorJson: { readonly cases: readonly { readonly json: string; readonly argsHex?: readonly string[]; readonly error?: string }[] }
}
const vectors: CtorVectors = JSON.parse(readFileSync('test/vectors/chaincode/transactions.json', 'utf8'))

describe('a constructor message on the command line', () => {
  // The command line asks for Args, as spec/node.md §1 says; the vectors also hold what only REST accepts.
  const onlyRest = new Set(['{}', '{"Function":"init"}'])
  for (const { json, argsHex, error } of vectors.ctorJson.cases.filter((each) => !onlyRest.has(each.json))) {
    it(`reads ${json} as the original does`, () => {
      if (error === undefined) expect(parseConstructor(json).map((arg) => Buffer.from(arg).toString('hex'))).toEqual(argsHex)
      else expect(() => parseConstructor(json)).toThrow(`Chaincode argument error: ${error}`)
    })
  }

  it.each([
    ['{"Args":null}', []],
    ['{"Args":["f",null],"Function":null}', ['f', '']],
  ])('takes null in %s for what is not there, as Go does', (json, args) => {
    expect(parseConstructor(json)).toEqual(args)
  })

  it('refuses one key in two spellings', () => {
    expect(() => parseConstructor('{"Args":["f"],"args":["g"]}')).toThrow(/^Non-empty JSON chaincode parameters must contain/)
  })

  it('refuses an empty object with its own text', () => {
    expect(() => parseConstructor('{}')).toThrow("Empty JSON chaincode parameters must contain the following keys: 'Args' or 'Function' and 'Args'")
  })

  it.each(['{"Function":"init"}', '{"Args":["a"],"Other":1}', '{ }'])('refuses %s for its keys', (json) => {
    expect(() => parseConstructor(json)).toThrow("Non-empty JSON chaincode parameters must contain the following keys: 'Args' or 'Function' and 'Args'")
  })

  it.each(['[]', '"text"', '3', 'null', '{', ''])('refuses %s, which is no object, without crashing', (json) => {
    expect(() => parseConstructor(json)).toThrow('Chaincode argument error: ')
  })
})

describe('attributes on the command line', () => {
  it('are an array of strings', () => {
    expect(parseAttributes('["role","account"]')).toEqual(['role', 'account'])
    expect(() => parseAttributes('[1]')).toThrow('Chaincode argument error: ')
    expect(() => parseAttributes('{}')).toThrow('Chaincode argument error: ')
  })
})
