import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { messageOf } from '../../../kernel/index.js'
import { createInProcessRuntime } from '../../../plugins/chaincode/api/in-process.js'
import type { ChaincodeLauncher } from '../../../plugins/chaincode/runtime.js'
import { exampleChaincodes } from './example-chaincodes.js'
import { bench, deploy, invoke, query, text } from './kit.js'

interface Step {
  readonly method: 'deploy' | 'invoke' | 'query'
  readonly chaincode: string
  readonly args: readonly string[]
  readonly rest: { readonly status?: string; readonly message?: string; readonly data?: string }
  readonly committed?: boolean
  readonly blockChaincodeEvents?: readonly { readonly chaincodeID?: string; readonly eventName?: string; readonly payload?: string }[]
}

interface Scenario {
  readonly scenario: string
  readonly binaries: Readonly<Record<string, string>>
  readonly steps: readonly Step[]
}

const { scenarios }: { scenarios: Scenario[] } = JSON.parse(readFileSync('test/vectors/chaincode/acceptance.json', 'utf8'))
const BUILT_IN = 'ee5b24a1f17c356dd5f6e37307922e39ddba12e5d2e203ed93401d7d05eb0dd194fb9070549c5dc31eb63f4e654dbd5a1d86cbb30c48e3ab1812590cd0f78539'
const chaincodes = exampleChaincodes(BUILT_IN)

/** Runs deployed examples inside the test; the package names the binary. */
const launcher: ChaincodeLauncher = {
  type: 2,
  pack: async () => {
    throw new Error('not packaged here')
  },
  launch: async (name, codePackage) => {
    const chaincode = chaincodes[text(codePackage)]
    if (chaincode === undefined) throw new Error(`no example ${text(codePackage)}`)
    return createInProcessRuntime(name, chaincode)
  },
}

async function play({ binaries, steps }: Scenario): Promise<void> {
  const kit = bench({}, {}, { launchers: [launcher] })
  for (const [index, { method, chaincode, args, rest, committed, blockChaincodeEvents }] of steps.entries()) {
    const label = `step ${index}: ${method} ${args.join(' ')}`
    if (method === 'query') {
      const answer = await kit.peer.query(query(chaincode, `q${index}`, ...args)).then(
        (payload) => ({ message: text(payload) }),
        (cause: unknown) => ({ data: `Error when querying chaincode: Error:${messageOf(cause)}` }),
      )
      expect(answer, label).toEqual(rest.status === undefined ? { data: rest.data } : { message: rest.message ?? '' })
      continue
    }
    const transaction = method === 'deploy' ? deploy(chaincode, args, { code: binaries[chaincode] ?? '' }) : invoke(chaincode, `t${index}`, ...args)
    const [executed] = await kit.block(transaction)
    expect(executed?.result.error === undefined, `${label}: ${executed?.result.error}`).toBe(committed)
    const [event = {}] = blockChaincodeEvents ?? []
    const found = executed?.result.event
    expect(found?.chaincodeID, label).toBe(event.chaincodeID)
    expect(found && Buffer.from(found.payload).toString('base64'), label).toBe(event.payload)
  }
}

describe('the examples of v0.6, as TypeScript on this peer', () => {
  const playable = scenarios.filter(({ binaries }) => Object.values(binaries).every((binary) => binary in chaincodes))

  it('are most of the recorded scenarios', () => {
    expect(playable.map(({ scenario }) => scenario)).toEqual([
      'example01',
      'example02',
      'example03',
      'example04',
      'c2c_fresh',
      'map',
      'passthru_initerr',
      'eventsender',
    ])
  })

  it.each(playable.map((each) => [each.scenario, each] as const))('give the recorded results: %s', (_name, scenario) => play(scenario))
})
