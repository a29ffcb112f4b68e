import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { failureText } from '../../kernel/cli/output.js'
import type { Clock, Logger } from '../../kernel/index.js'
import { PeerError } from '../../kernel/index.js'
import { membersText } from '../../plugins/consensus/commands/all-members.js'
import { planLines, withOptions } from '../../plugins/consensus/commands/plan-table.js'
import { statusText } from '../../plugins/consensus/commands/status-text.js'
import { Objections } from '../../plugins/consensus/swap/objections.js'
import { FloodGuard } from '../../plugins/engines/process/flood-guard.js'
import { defaultProcessLimits } from '../../plugins/engines/process/limits.js'
import { textLine } from '../../plugins/events/event-text.js'
import { findingLines } from '../../plugins/doctor/report.js'
import { ownerText } from '../../plugins/grpc/doctor/socket-owner.js'
import { eventLine, transactionLines, transactionView } from '../../plugins/ledger/inspect/transaction-view.js'
import { thrownText } from '../../plugins/loader/index.js'
import { textWriter } from '../../plugins/logging/format.js'
import { logOutput } from '../../plugins/sandbox/output-log.js'
import { plainFrame } from '../../plugins/top/frame.js'
import { ChaincodeEvent, ConsensusReport, encode, SwapPlanMessage, SwapProposal, Transaction, Transaction_Type } from '../../proto/index.js'
import { pictureOf, unreachable, watched } from '../top/pictures.js'
import { expectHarmless } from './hostile-text.js'

const clock: Clock = { now: () => ({ seconds: 0n, nanos: 0 }), elapsedMs: () => 0, setTimer: () => () => undefined }

function heardLog(): { readonly log: Logger; readonly lines: string[] } {
  const lines: string[] = []
  const hear = (message: string): void => void lines.push(message)
  const log: Logger = { module: 'm', critical: hear, error: hear, warning: hear, notice: hear, info: hear, debug: hear, in: () => log, isEnabled: () => true }
  return { log, lines }
}

describe('no text of others steers a terminal or forges a line', () => {
  it('of a log: message, name and value of a fact', () => {
    expectHarmless((text) => {
      let line = ''
      textWriter({ write: (written) => (line += written) }, clock, false)('info', 'm', 'f', text, { [text]: text, list: [text], error: new Error(text) })
      return line.slice(0, -1)
    })
  })

  it('of a contained process that prints', () => {
    expectHarmless((text) => {
      const { log, lines } = heardLog()
      const output = new PassThrough()
      logOutput(output, log, clock, 'info', 'it')
      output.emit('data', Buffer.from(`${text}\nerror ${text}\n${text}`))
      output.emit('end')
      expect(lines.length).toBeGreaterThan(1)
      return lines.join('')
    })
  })

  it('of an engine in a process of its own: log lines and reasons', () => {
    expectHarmless((text) => {
      const guard = new FloodGuard(defaultProcessLimits, clock, new Map(), 4)
      const effects = guard.quiet([
        { type: 'log', level: 'info', message: text },
        { type: 'halt', reason: text },
      ])
      return effects.map((effect) => (effect.type === 'log' ? effect.message : effect.type === 'halt' ? effect.reason : '')).join('')
    })
  })

  it('of what was thrown, and of the functions that threw it', () => {
    expectHarmless((text) => thrownText(Object.assign(new Error(text), { stack: `Error\n    at ${text} (engine.mjs:1:1)` }), () => 'index.ts:1:1'))
  })

  it('of a member that tells why it takes no part in a swap', () => {
    expectHarmless((text) => {
      const objections = new Objections(0, { tell: () => undefined })
      objections.heard(1, { candidate: new Uint8Array(32), reason: text })
      return objections.list()[0]?.reason ?? '\0'
    })
  })

  it('of a validator whose status is shown', () => {
    expectHarmless((text) => {
      const report = ConsensusReport.fromPartial({ id: text, engine: text, version: text, halted: text, divergence: text, members: [{ id: text }] })
      const members = membersText([
        { id: text, address: text, answer: { report } },
        { id: text, address: text, answer: { reason: text } },
      ])
      return [...statusText(report, { [text]: text }), ...members].join('')
    })
  })

  it('of validators that are asked about a swap', () => {
    expectHarmless((text) => {
      const row = { id: text, answered: true, engine: text, version: text, codeDigest: text, refusal: text }
      const options = JSON.stringify({ [text]: text })
      const plan = SwapPlanMessage.fromPartial({ rows: [row, { ...row, refusal: '' }, { id: text }] })
      return [...planLines(plan, SwapProposal.fromPartial({ engine: text, version: text, options })), ...withOptions(text, options)].join('')
    })
  })

  it('of peers that `peer top` watches', () => {
    expectHarmless((text) => {
      const one = watched(0, {
        id: text,
        engine: text,
        version: text,
        halted: text,
        divergence: text,
        engineView: JSON.stringify({ view: text, leader: text }),
      })
      const happenings = [{ atMs: 0, peer: text, text: 'x', kind: 'bad' }] as const
      return plainFrame(pictureOf([one, unreachable(1, text)], { title: text, happenings }), 200)
    }, '\n')
  })

  it('of blocks: transactions and events', () => {
    expectHarmless((text) => {
      const event = ChaincodeEvent.fromPartial({ chaincodeID: text, txID: text, eventName: text, payload: Buffer.from(text) })
      const bytes = encode(
        Transaction,
        Transaction.fromPartial({ type: Transaction_Type.CHAINCODE_INVOKE, txid: text, chaincodeID: Buffer.from(text), payload: Buffer.from(text) }),
      )
      const view = transactionView(bytes, [event])
      return [...transactionLines(bytes, view), ...view.events.map(eventLine)].join('')
    })
  })

  it('of events that are listened to', () => {
    expectHarmless((text) => {
      const value = ChaincodeEvent.fromPartial({ chaincodeID: text, txID: text, eventName: text, payload: Buffer.from(text) })
      return textLine({ id: '', event: { $case: 'chaincodeEvent', value }, bytes: new Uint8Array() }).slice(0, -1)
    })
  })

  it('of what a doctor found at other peers', () => {
    expectHarmless((text) => findingLines([{ check: 'reach', findings: [{ level: 'failure', found: text, todo: text }], skipped: text }]).join(''), '\n')
  })

  it('of the command line of a process that has a port', () => {
    expectHarmless((text) => ownerText({ pid: 1, words: ['node', text] }))
  })
})

it('a command that failed prints what steers a terminal no more than others do, and keeps its lines', () => {
  // Fillers, joiners and separators that no terminal obeys may stay.
  const harmless = '\u034f\u115f\u1160\u2028\u2029\ufe00\ufe01\ufe02\ufe03\ufe04\ufe05\ufe06\ufe07\ufe08\ufe09\ufe0a\ufe0b\ufe0c\ufe0d\ufe0e\ufe0f'
  expectHarmless((text) => failureText(new PeerError('ERR_RPC', text, { hint: text }), false), `\n\t${harmless}`)
  expect(failureText(new Error('one\n\ttwo'), false)).toBe('Error: one\n\ttwo\n')
})
