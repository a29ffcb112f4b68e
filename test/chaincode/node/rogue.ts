import { spawnContained } from '../../../plugins/sandbox/index.js'
import { PipeRuntime } from '../../../plugins/chaincode/node/pipe-runtime.js'
import { type SandboxKind, sandboxCommand } from '../../../plugins/sandbox/index.js'
import { systemClock } from '../../../kernel/index.js'
import { ChaincodeMessage, ChaincodeMessage_Type as Type, encode, PutStateInfo } from '../../../proto/index.js'
import { keepingLog } from './quiet-log.js'

export const MEMORY_BYTES = 256 * 1024 * 1024

/** Runs any program where the bootstrap would run: as if a bundle had broken out of everything but its sandbox. */
export async function rogueProcess(kind: SandboxKind, source: string) {
  const log = keepingLog()
  const command = await sandboxCommand(kind, { memoryBytes: MEMORY_BYTES }, { file: process.execPath, args: ['--input-type=module', '-'] })
  const contained = await spawnContained({ who: 'the rogue', command, input: Buffer.from(source), memoryBytes: MEMORY_BYTES, log, clock: systemClock })
  return { contained, log }
}

/** The same, believed to be a chaincode. */
export async function rogueRuntime(source: string, limits = { maxFrameBytes: 65_536, maxWriteBytes: 1000 }) {
  const { contained, log } = await rogueProcess('none', PRELUDE + source)
  const runtime = new PipeRuntime('cc', contained, Buffer.from('bundle'), limits, log)
  return { runtime, contained, log }
}

const message = (type: Type, txid = '', payload: Uint8Array = Buffer.alloc(0)) =>
  JSON.stringify(Buffer.from(encode(ChaincodeMessage, ChaincodeMessage.create({ type, txid, payload }))).toString('base64'))

/** Messages that rogues send, as base64 literals. */
export const MESSAGES = {
  register: message(Type.REGISTER),
  completed: message(Type.COMPLETED, 't1'),
  queryCompleted: message(Type.QUERY_COMPLETED, 't1'),
  get: message(Type.GET_STATE, 't1', Buffer.from('k')),
  put: message(Type.PUT_STATE, 't1', encode(PutStateInfo, { key: Buffer.from('k'), value: Buffer.from('v') })),
  putEmpty: message(Type.PUT_STATE, 't1', encode(PutStateInfo, { key: Buffer.from('k'), value: Buffer.alloc(0) })),
  putLong: message(Type.PUT_STATE, 't1', encode(PutStateInfo, { key: Buffer.from('k'), value: Buffer.alloc(999) })),
  unknownTransaction: message(Type.GET_STATE, 'elsewhere', Buffer.from('k')),
  fromThePeer: message(Type.RESPONSE, 't1'),
}

const PRELUDE = `
import { Socket } from 'node:net'
const pipe = new Socket({ fd: 3, readable: true, writable: true })
pipe.on('error', () => {})
pipe.on('close', () => process.exit(0))
const raw = (bytes) => pipe.write(bytes)
const send = (...messages) => { for (const text of messages) { const body = Buffer.from(text, 'base64'); const head = Buffer.alloc(4); head.writeUInt32BE(body.length); raw(Buffer.concat([head, body])) } }
/** Runs once the first call has come, which is whatever follows the settings and the bundle. */
const onCall = (answer) => { let seen = 0; const head = 8 + '{"maxFrameBytes":65536}'.length + 'bundle'.length; pipe.on('data', (chunk) => { const before = seen; seen += chunk.length; if (before <= head && seen > head) answer() }) }
`
