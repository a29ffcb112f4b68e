import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PeerError } from '../../kernel/index.js'
import { callUnary, ChaincodeSpec, ChaincodeSpec_Type, DevopsService } from '../../proto/index.js'
import type { Devnet } from '../devnet/index.js'
import { NODE_FLAGS, ownPackage } from '../loader/index.js'
import { pause, values } from './network.js'
import type { Workplace } from './workplace.js'

const WITHIN_MS = 30_000
const LOOK_EVERY_MS = 50
/** What `peer chaincode serve` says when the peer has taken its registration. */
const REGISTERED = 'is registered at'
const SOURCE = 'examples/chaincode/example02.ts'

/** Starts example02 as a process of its own beside every peer of a network in development mode, over v0.6's shim protocol, and deploys it under this name. Returns their process ids. */
export async function startShims(place: Workplace, devnet: Devnet, name: string): Promise<readonly number[]> {
  const shims = devnet.peers.map(({ address, directory }) => startShim(name, address, directory))
  place.onEnd(() => Promise.all(shims.map(killed)))
  await Promise.all(shims.map(registered))
  await deploy(devnet, name)
  return shims.flatMap(({ child: { pid } }) => pid ?? [])
}

interface Shim {
  readonly child: ChildProcess
  readonly logFile: string
}

function startShim(name: string, address: string, directory: string): Shim {
  const [, program = ''] = process.argv
  const logFile = join(directory, 'chaincode.log')
  const log = openSync(logFile, 'a')
  try {
    const args = [program, 'chaincode', 'serve', join(ownPackage().root, SOURCE), '--name', name, '--peer', address]
    return { child: spawn(process.execPath, [...NODE_FLAGS, ...args], { cwd: directory, stdio: ['ignore', log, log] }), logFile }
  } finally {
    closeSync(log)
  }
}

/** Where a chaincode has not registered yet a deploy is rejected, in development mode: that validator's block would be another one than that of the others. */
async function registered({ child, logFile }: Shim): Promise<void> {
  const deadline = performance.now() + WITHIN_MS
  while (!readFileSync(logFile, 'utf8').includes(REGISTERED)) {
    if (hasEnded(child) || performance.now() > deadline) {
      throw new PeerError(
        'ERR_BENCH_CHAINCODE',
        `a chaincode has not registered within ${WITHIN_MS / 1000} s: ${readFileSync(logFile, 'utf8').trim().slice(-1000)}`,
      )
    }
    await pause(LOOK_EVERY_MS)
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

async function killed({ child }: Shim): Promise<void> {
  if (hasEnded(child)) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

/** Deploys it, and waits until it answers at every validator. */
async function deploy(devnet: Devnet, name: string): Promise<void> {
  const [first] = devnet.peers
  if (!first) throw new PeerError('ERR_USAGE', 'a network has a validator')
  const spec = ChaincodeSpec.fromPartial({
    type: ChaincodeSpec_Type.GOLANG,
    chaincodeID: { name },
    ctorMsg: { args: ['init', 'a', '100000000', 'b', '100000000'].map((arg) => Buffer.from(arg)) },
  })
  await callUnary(devnet.client(first), DevopsService.deploy, spec)
  let failure: unknown
  for (const deadline = performance.now() + WITHIN_MS; performance.now() < deadline; await pause(LOOK_EVERY_MS)) {
    try {
      await values(devnet, name, 'a')
      return
    } catch (error) {
      failure = error
    }
  }
  throw new PeerError('ERR_BENCH_CHAINCODE', `the chaincode ${name} does not answer at every validator`, { cause: failure })
}
