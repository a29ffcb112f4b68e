/**
 * The program of an engine's process. It reads the bundle from the pipe, loads it, takes away clock and randomness, and hands the pipe to the bundle. It holds
 * nothing secret: the sandbox around the process is what contains the bundle.
 */
import { isBuiltin } from 'node:module'
import { Socket } from 'node:net'
import { SourceTextModule, SyntheticModule } from 'node:vm'
import { FrameReader, keepable, writeFrames } from '../../sandbox/frames.js'
import { pack, TooLongError, unpack } from '../codec.js'
import type { FromEngine, ToEngine } from '../messages.js'
import type { Channel } from './channel.js'
import { scrubGlobals } from './scrub.js'
import { BUNDLE, thrownInBundle } from './thrown-in-bundle.js'

const PIPE = 3
/** Frames from the peer are trusted; the process's own memory limit is what ends it. */
const MAX_FRAME_FROM_PEER = 2 ** 31 - 1
const MAX_REFUSAL_BYTES = 4096
const MAX_REASON_BYTES = 64 * 1024
/** Answers are written together, but none waits longer: the peer watches the time that they take. */
const MAX_HELD_MS = 5

const exit = process.exit.bind(process)
const monotonicMs = performance.now.bind(performance)
const pipe = new Socket({ fd: PIPE, readable: true, writable: true })
pipe.on('error', () => exit(1))
pipe.on('close', () => exit(0))

let held: Uint8Array[] = []
let heldSinceMs = 0
/** That its code is loaded, and that the engine is made, must not wait behind a handler that never ends. */
let atOnce = 2
const flush = (): void => {
  if (held.length === 0) return
  const frames = held
  held = []
  writeFrames(pipe, frames)
}
const send = (message: FromEngine, maxBytes: number): void => {
  let frame: Uint8Array
  try {
    frame = pack(message, maxBytes)
  } catch (error) {
    const bytes = error instanceof TooLongError ? error.bytes : 'too many'
    return send({ type: 'failed', reason: `it asked for effects of ${bytes} bytes in one handler, more than ${maxBytes}` }, MAX_REFUSAL_BYTES)
  }
  if (held.length === 0) heldSinceMs = monotonicMs()
  held.push(frame)
  if (atOnce > 0 || monotonicMs() - heldSinceMs > MAX_HELD_MS) flush()
  atOnce--
}

let listener: ((message: ToEngine) => void) | undefined
let isLoading = false
/** The bundle. */
let code: Uint8Array = new Uint8Array(0)
const early: ToEngine[] = []
const reader = new FrameReader(MAX_FRAME_FROM_PEER)
pipe.on('data', (chunk: Buffer) => {
  for (const frame of reader.push(chunk)) take(frame)
  flush()
  // What has not left yet is for a peer that is slower: nothing more is taken from it meanwhile.
  if (!pipe.writableNeedDrain) return
  pipe.pause()
  pipe.once('drain', () => pipe.resume())
})

/** What a handler left behind is against the rules; the peer ends this process when it is told. */
function stray(how: string, thrown: unknown): void {
  send({ type: 'failed', reason: `${how}: ${thrownInBundle(thrown, code)}` }, MAX_REASON_BYTES)
  flush()
}
process.on('uncaughtException', (error) => stray('its code threw outside of its handlers', error))
process.on('unhandledRejection', (reason) => stray('a promise of its code failed, and nobody awaited it', reason))

function take(frame: Uint8Array): void {
  if (!isLoading) {
    isLoading = true
    code = keepable(frame)
    load(code).catch((reason: unknown) => {
      send({ type: 'failed', reason: `its code does not load: ${thrownInBundle(reason, code)}` }, MAX_REASON_BYTES)
      flush()
      pipe.end()
    })
    return
  }
  // What an engine keeps must not hold whole chunks of the pipe, and is no Buffer.
  const message = messageOf(keepable(frame))
  if (listener === undefined) early.push(message)
  else listener(message)
}

async function load(bundle: Uint8Array): Promise<void> {
  const module = new SourceTextModule(Buffer.from(bundle).toString('utf8'), { identifier: BUNDLE, importModuleDynamically: link })
  // CommonJS dependencies ask for Node's own modules by `require`.
  Object.defineProperty(globalThis, 'require', { value: (name: string) => process.getBuiltinModule(name) })
  await module.link(link)
  await module.evaluate()
  const connect: unknown = Reflect.get(module.namespace, 'default')
  if (typeof connect !== 'function') throw new TypeError('the bundle has no default export to connect')
  scrubGlobals()
  const channel: Channel = {
    send,
    thrown: (error) => thrownInBundle(error, bundle),
    receive(next) {
      listener = next
      for (const message of early.splice(0)) next(message)
      flush()
    },
  }
  send({ type: 'loaded' }, MAX_REFUSAL_BYTES)
  connect(channel)
}

/** Node's own modules, as far as the permission model and the sandbox leave them any use; anything else is in the bundle. */
async function link(specifier: string): Promise<SyntheticModule> {
  if (!isBuiltin(specifier)) throw new Error(`an engine is one file: it cannot import ${specifier} while it runs`)
  const found: Record<string, unknown> = await import(specifier)
  const names = Object.keys(found)
  const module = new SyntheticModule(names, () => {
    for (const name of names) module.setExport(name, found[name])
  })
  await module.link(() => module)
  await module.evaluate()
  return module
}

/** The peer is trusted: what it sends is what the types say. */
function messageOf(frame: Uint8Array): ToEngine {
  const message = unpack(frame)
  if (!isMessage(message)) throw new TypeError('expected a message of the peer')
  return message
}

function isMessage(value: unknown): value is ToEngine {
  return typeof value === 'object' && value !== null && 'type' in value
}
