/**
 * The program of a deployed chaincode's process. It reads settings and bundle from the pipe, takes away what deployed code must not have,
 * and hands the pipe to the bundle. It holds nothing secret: the sandbox around the process is what contains the bundle.
 */
import { Socket } from 'node:net'
import { SourceTextModule } from 'node:vm'
import { ChaincodeMessage, ChaincodeMessage_Type as Type } from '../../../../proto/messages.js'
import { utf8 } from '../../api/bytes.js'
import { failureText } from '../../api/errors.js'
import { createHost } from '../../api/host.js'
import { messageOf } from '../../api/message-port.js'
import { FrameReader, joinFrames } from '../../../sandbox/frames.js'
import type { Channel } from './channel.js'
import { scrubGlobals } from './scrub.js'

const PIPE = 3
/** Frames from the peer are trusted; the process's own memory limit is what ends it. */
const MAX_FRAME_FROM_PEER = 2 ** 31 - 1

const { stdout } = process
const exit = process.exit.bind(process)
const nextTick = process.nextTick.bind(process)
const pipe = new Socket({ fd: PIPE, readable: true, writable: true })
const log = (level: string, message: string) => void stdout.write(`${level} ${message.replaceAll('\n', '\\n')}\n`)

process.on('unhandledRejection', (reason) => log('warning', `a promise that nobody awaits failed: ${failureText(reason)}`))
pipe.on('error', () => exit(1))
pipe.on('close', () => exit(0))

let unsent: Uint8Array[] = []
const send = (frame: Uint8Array) => {
  unsent.push(frame)
  if (unsent.length > 1) return
  nextTick(() => {
    pipe.write(joinFrames(unsent))
    unsent = []
  })
}

let listener: ((frame: Uint8Array) => void) | undefined
const early: Uint8Array[] = []
const reader = new FrameReader(MAX_FRAME_FROM_PEER)
pipe.on('data', (chunk) => {
  for (const frame of reader.push(chunk)) {
    if (listener === undefined) takeEarly(frame)
    else listener(frame)
  }
})

/** Settings and bundle come first; calls wait until the bundle is loaded. */
function takeEarly(frame: Uint8Array): void {
  early.push(frame)
  const [settings, bundle] = early
  if (early.length !== 2 || settings === undefined || bundle === undefined) return
  load(settings, bundle).catch((reason: unknown) => {
    pipe.end(joinFrames([ChaincodeMessage.encode(messageOf(Type.ERROR, '', utf8(failureText(reason)))).finish()]))
  })
}

async function load(settings: Uint8Array, bundle: Uint8Array): Promise<void> {
  const { maxFrameBytes }: { maxFrameBytes: number } = JSON.parse(Buffer.from(settings).toString())
  const source = Buffer.from(bundle).toString('utf8')
  const module = new SourceTextModule(source, { identifier: 'chaincode.mjs', importModuleDynamically: refuseImport })
  await module.link(refuseImport)
  scrubGlobals(log)
  await module.evaluate()
  const connect: unknown = Reflect.get(module.namespace, 'default')
  if (typeof connect !== 'function') throw new TypeError('the bundle has no default export to connect')
  const channel: Channel = {
    send,
    maxFrameBytes,
    host: createHost(log),
    receive(next) {
      listener = next
      for (const frame of early.splice(0).slice(2)) next(frame)
    },
  }
  connect(channel)
}

function refuseImport(specifier: string): never {
  throw new Error(`deployed chaincode is one file: it cannot import ${specifier} while it runs`)
}
