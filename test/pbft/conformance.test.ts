import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pbft } from '../../plugins/pbft/index.js'
import { playComebacks } from '../kit/comebacks.js'
import { engineSuite, parseScenario, playScenario } from '../kit/index.js'

// Small windows and short time-outs, so that checkpoints, transfers and view changes happen all the time.
const options = {
  K: 2,
  logmultiplier: 4,
  'timeout.request': '500ms',
  'timeout.viewchange': '500ms',
  'timeout.resendviewchange': '500ms',
  'timeout.batch': '100ms',
}

engineSuite(pbft, { options, members: [4], seeds: Number(process.env['WEFT_KIT_SEEDS'] ?? 20) })

it('takes back who was away without suspecting anybody: its own time-outs are longer than what the suite allows', async () => {
  expect(await playComebacks({ engine: { factory: pbft, options: {} }, members: 4, firstSeed: 1, seeds: 20 })).toEqual([])
})

/** Runs that once broke it, each the smallest of its kind. */
describe('scenarios that the simulator found', () => {
  it.each([
    // Two numbers of different views held one transaction.
    ['two-broken-links', options],
    // Who had executed most forgot, in a restart, the votes that the others needed.
    ['dead-and-blackout', options],
    // Two members forgot, in a restart, the view change of a third that had gone further.
    ['quorum-forgotten', { ...options, logmultiplier: 2 }],
    // Two members could not prove to a third, which had left the view, what they had decided with a dead one.
    ['alone-between-checkpoints', {}],
    // Three members, each in a state between checkpoints that others vouched for, had given up the checkpoints that a new view begins from.
    ['transferred-between-checkpoints', options],
    // A primary that began again went on after what an earlier view had proposed, and left a gap that nobody filled.
    ['gap-after-restart', options],
    // A transfer took the timer away, and beyond its target a gap was left that nobody filled.
    ['gap-after-transfer', options],
    // A member dropped its votes below the base of a new view that only a liar vouched for with it, and the liar forgot.
    ['forgotten-by-a-twin', options],
    // Votes were kept from before a transfer, and after a restart the window began there.
    ['window-after-restart', options],
    // Who went back below its window for a view that others had long left told of more than one window holds.
    ['back-below-the-window', options],
  ] as const)('%s ends well', async (name, its) => {
    const scenario = parseScenario(readFileSync(join(import.meta.dirname, 'scenarios', `${name}.json`), 'utf8'))
    const { failure } = await playScenario({ factory: pbft, options: its }, scenario)
    expect(failure?.statement).toBeUndefined()
  })
})
