import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  ChaincodeID,
  ChaincodeInput,
  ChaincodeMessage,
  ChaincodeMessage_Type as T,
  ChaincodeInvocationSpec,
  ConfidentialityLevel,
  RangeQueryState,
  RangeQueryStateResponse,
  type Transaction,
  Transaction_Type,
  decode,
  encode,
} from '../../../proto/index.js'
import { nestedMessage } from '../../../plugins/chaincode/peer/stream/messages.js'
import { type Bench, bench, deploy, ordered, silentLog, specOf, transactionOf, turn } from './kit.js'
import { ScriptedStream } from './scripted-stream.js'

interface Line {
  readonly stream: number
  readonly direction?: 'chaincode->peer' | 'peer->chaincode'
  readonly type?: keyof typeof T
  readonly hex?: string
  readonly event?: string
  readonly grpcStatus?: number
  readonly grpcMessage?: string
}

interface Session {
  readonly id: string
  readonly messages: readonly Line[]
}

const { sessions }: { sessions: Session[] } = JSON.parse(readFileSync('test/vectors/chaincode/sessions.json', 'utf8'))

/** Where Weft answers otherwise than the original did, by session; everything else is compared byte for byte. */
const DEPARTURES: Readonly<Record<string, { readonly nestedErrors?: boolean; readonly ending?: string }>> = {
  'self-query-refused': { nestedErrors: true },
  'privacy-c2c-refused': { nestedErrors: true, ending: '11 EOF' },
  // A failed Init ends the stream, so that the process notices.
  'init-failure': { ending: '2 Error handling message, ending stream: Init failed: Error initializing container pf: initbad' },
  'passthru-init-error': { ending: '2 Error handling message, ending stream: Init failed: Error initializing container ptx: initerror' },
}

const message = (line: Line): ChaincodeMessage => decode(ChaincodeMessage, Buffer.from(line.hex ?? '', 'hex'))

/** Plays the chaincodes of a captured session against our peer. */
class Replay {
  readonly bench: Bench
  private readonly streams = new Map<number, ScriptedStream>()
  private readonly names = new Map<number, string>()
  private readonly ids: string[] = []
  private readonly outcomes: Promise<unknown>[] = []

  constructor(private readonly session: Session) {
    const hasSecurity = /security|privacy/.test(session.id)
    // The nonce is not in the capture: the test's nonce is the binding itself.
    const sha3 = (...parts: Uint8Array[]) => createHash('sha3-256').update(Buffer.concat(parts)).digest()
    const security = { binding: (certificate: Uint8Array, nonce: Uint8Array) => (certificate.length + nonce.length === 0 ? sha3() : nonce) }
    this.bench = bench({}, { mode: 'dev' }, hasSecurity ? { security } : {})
    this.prepare()
  }

  async run(): Promise<void> {
    for (const [index, line] of this.session.messages.entries()) {
      if (line.direction === 'chaincode->peer') this.streamOf(line.stream).stream.receive(message(line))
      else if (line.direction === 'peer->chaincode') await this.expect(line, index)
      else this.event(line)
      if (line.type === 'REGISTER') await this.makeReady(line.stream)
      await turn(2)
    }
    for (const { stream } of this.streams.values()) stream.gone('end of the session')
    await Promise.allSettled(this.outcomes)
    for (const [number, stream] of this.streams)
      expect(
        stream.sent.map((bytes) => Buffer.from(bytes).toString('hex')),
        `left over on stream ${number}`,
      ).toEqual([])
  }

  /** Names, ids of ranges, and the state that the chaincodes find. */
  private prepare(): void {
    const touched = new Set<string>()
    const asked = new Map<string, { key: Uint8Array; isRange: boolean }>()
    for (const line of this.session.messages) {
      if (line.hex === undefined) continue
      const { type, txid, payload } = message(line)
      if (type === T.REGISTER) this.names.set(line.stream, decode(ChaincodeID, payload).name)
      const name = this.nameOf(line.stream)
      const slot = `${line.stream} ${txid}`
      if (type === T.GET_STATE) asked.set(slot, { key: payload, isRange: false })
      else if (type === T.RANGE_QUERY_STATE || type === T.RANGE_QUERY_STATE_NEXT) asked.set(slot, { key: payload, isRange: true })
      else if (type === T.PUT_STATE) touched.add(`${name} ${Buffer.from(decode(RangeQueryState, payload).startKey).toString('hex')}`)
      else if (type === T.RESPONSE) {
        const question = asked.get(slot)
        asked.delete(slot)
        if (question === undefined) continue
        if (!question.isRange) this.seed(touched, name, question.key, payload)
        else {
          const { keysAndValues, ID } = decode(RangeQueryStateResponse, payload)
          for (const { key, value } of keysAndValues) this.seed(touched, name, key, value)
          if (!this.ids.includes(ID)) this.ids.push(ID)
        }
      }
    }
    for (const name of ['p2', ...this.names.values()]) this.bench.ledger.transactions.set(name, deploy(name, ['init']).bytes)
  }

  private seed(touched: Set<string>, name: string, key: Uint8Array, value: Uint8Array): void {
    const id = `${name} ${Buffer.from(key).toString('hex')}`
    if (touched.has(id)) return
    touched.add(id)
    if (value.length > 0) this.bench.ledger.put(name, key, value)
  }

  private nameOf(stream: number): string {
    return this.names.get(stream) ?? 'p2'
  }

  private streamOf(number: number): ScriptedStream {
    const existing = this.streams.get(number)
    if (existing !== undefined) return existing
    const stream = new ScriptedStream(this.bench, {
      log: silentLog(),
      keepaliveMs: this.session.id === 'keepalive' ? 2000 : 0,
      newId: () => this.ids.shift() ?? 'no id left',
    })
    this.streams.set(number, stream)
    return stream
  }

  /** Some captures begin later in life: without INIT and READY, the chaincode was ready before; without REGISTER, it was registered. */
  private async makeReady(number: number): Promise<void> {
    const own = this.session.messages.filter((line) => line.stream === number)
    if (own.some(({ type }) => type === 'INIT' || type === 'READY') || this.session.id === 'duplicate-registration') return
    const stream = this.streamOf(number)
    await this.bench.block(deploy(this.nameOf(number), []))
    expect(stream.take().at(-1)).toBe(`READY ${this.nameOf(number)}`)
    if (own.some(({ type }) => type === 'REGISTER')) stream.sent.push(encode(ChaincodeMessage, { ...message({ stream: 0, hex: '0802' }) }))
  }

  private async expect(line: Line, index: number): Promise<void> {
    const expected = message(line)
    let stream = this.streams.get(line.stream)
    if (stream === undefined) {
      stream = this.streamOf(line.stream)
      stream.register(this.nameOf(line.stream))
      if (expected.type === T.READY) stream.take()
      await this.makeReady(line.stream)
    }
    if (expected.type === T.KEEPALIVE) await this.bench.clock.advance(2000)
    else if (stream.sent.length === 0) this.submit(expected, line, index)
    await turn(3)
    const actual = stream.sent.shift()
    const wanted = this.withDepartures(expected, actual)
    expect(actual && decode(ChaincodeMessage, actual), `message ${index} on stream ${line.stream}`).toEqual(wanted)
    if (wanted === expected) expect(Buffer.from(actual ?? []).toString('hex')).toBe(line.hex)
  }

  private withDepartures(expected: ChaincodeMessage, actual: Uint8Array | undefined): ChaincodeMessage {
    if (actual === undefined) return expected
    const { securityContext } = decode(ChaincodeMessage, actual)
    const isCallee = this.streams.size > 1 && expected.securityContext !== undefined
    // A callee gets the time of the top-level transaction; the original gave its own clock.
    if (isCallee && expected.securityContext)
      return { ...expected, securityContext: { ...expected.securityContext, txTimestamp: securityContext?.txTimestamp } }
    const isCallRefusal = /txid:.* exists|not supported for with privacy/.test(Buffer.from(expected.payload).toString())
    if (!DEPARTURES[this.session.id]?.nestedErrors || expected.type !== T.ERROR || !isCallRefusal) return expected
    const kind = decode(ChaincodeMessage, decode(ChaincodeMessage, actual).payload).type === T.ERROR ? 'invoke' : 'query'
    return { ...expected, type: T.RESPONSE, payload: new Uint8Array(nestedMessage(kind, expected.txid, { ok: false, payload: expected.payload })) }
  }

  /** The transaction or query that made the original send this message. */
  private submit(expected: ChaincodeMessage, line: Line, index: number): void {
    const name = this.nameOf(line.stream)
    const { txid, securityContext } = expected
    const followers = this.session.messages
      .slice(index)
      .filter((later) => later.stream === line.stream && later.hex !== undefined)
      .map(message)
    const request = followers.find((later) => later.txid === txid && later.type !== T.READY)
    if (securityContext === undefined) throw new Error(`no transaction makes the peer send ${T[expected.type]}`)
    const { args } = decode(ChaincodeInput, securityContext.payload)
    const signed: Partial<Transaction> = {
      timestamp: securityContext.txTimestamp,
      cert: securityContext.callerCert,
      signature: securityContext.callerSign,
      nonce: securityContext.binding,
      metadata: securityContext.metadata,
      confidentialityLevel: this.session.id.startsWith('privacy') ? ConfidentialityLevel.CONFIDENTIAL : ConfidentialityLevel.PUBLIC,
    }
    if (expected.type === T.INIT || request === undefined) {
      const { transaction } = deploy(name, [])
      const payload = deployPayload(name, args)
      this.bench.ledger.transactions.delete(name)
      this.outcomes.push(this.bench.block(ordered({ ...transaction, ...signed, payload })))
      return
    }
    const payload = encode(ChaincodeInvocationSpec, { chaincodeSpec: specOf(name, args), idGenerationAlg: '' })
    if (request.type === T.QUERY) {
      const answer = this.bench.peer.query(transactionOf(Transaction_Type.CHAINCODE_QUERY, txid, name, payload, signed))
      answer.catch(() => undefined) // looked at through `outcomes`
      this.outcomes.push(answer)
    } else this.outcomes.push(this.bench.block(ordered(transactionOf(Transaction_Type.CHAINCODE_INVOKE, txid, name, payload, signed))))
  }

  private event({ event, stream, grpcStatus, grpcMessage }: Line): void {
    const target = this.streamOf(stream)
    if (event === 'chaincode ended its side' || event === 'chaincode connection lost') target.stream.halfClosed()
    if (event !== 'peer ended the stream') return
    const wanted = DEPARTURES[this.session.id]?.ending ?? `${grpcStatus} ${grpcMessage}`
    expect(`${target.ended?.status} ${target.ended?.message}`).toBe(wanted)
  }

  ending(number: number): string {
    const { ended } = this.streamOf(number)
    return `${ended?.status} ${ended?.message}`
  }
}

function deployPayload(name: string, args: readonly Uint8Array[]): Uint8Array {
  return encode(ChaincodeInvocationSpec, { chaincodeSpec: specOf(name, args), idGenerationAlg: '' })
}

describe('captured sessions of original chaincodes', () => {
  for (const session of sessions) {
    it(`are answered as the original peer did: ${session.id}`, async () => {
      const replay = new Replay(session)
      if (session.id === 'duplicate-registration') new ScriptedStream(replay.bench).register('mycc')
      await replay.run()
      const ending = DEPARTURES[session.id]?.ending
      if (ending !== undefined) expect(replay.ending(1)).toBe(ending)
    })
  }
})
