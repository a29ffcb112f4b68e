import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { PeerError } from '../../kernel/index.js'
import { callUnary, ChaincodeSpec, ChaincodeSpec_Type, DevopsService } from '../../proto/index.js'
import type { Devnet } from '../devnet/index.js'
import { NODE_FLAGS, ownPackage } from '../loader/index.js'
import { pause, values } from './network.js'
import type { Workplace } from './workplace.js'

const TRIES = 40
const ANSWERS_WITHIN_MS = 500
const SOURCE = 'examples/chaincode/example02.ts'

/** Starts example02 as a process of its own beside every peer of a network in development mode, over v0.6's shim protocol, and deploys it under this name. Returns their process ids. */
export async function startShims(place: Workplace, devnet: Devnet, name: string): Promise<readonly number[]> {
  const [, program = ''] = process.argv
  const children = devnet.peers.map(({ address, directory }): ChildProcess => {
    const log = openSync(join(directory, 'chaincode.log'), 'a')
    try {
      const args = [program, 'chaincode', 'serve', join(ownPackage().root, SOURCE), '--name', name, '--peer', address]
      return spawn(process.execPath, [...NODE_FLAGS, ...args], { cwd: directory, stdio: ['ignore', log, log] })
    } finally {
      closeSync(log)
    }
  })
  place.onEnd(() => Promise.all(children.map(killed)))
  await deploy(devnet, name)
  return children.flatMap(({ pid }) => pid ?? [])
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

/** Where a chaincode has not registered yet the deploy is rejected there, in development mode: it is sent again until all answer. */
async function deploy(devnet: Devnet, name: string): Promise<void> {
  const [first] = devnet.peers
  if (!first) throw new PeerError('ERR_USAGE', 'a network has a validator')
  const spec = ChaincodeSpec.fromPartial({
    type: ChaincodeSpec_Type.GOLANG,
    chaincodeID: { name },
    ctorMsg: { args: ['init', 'a', '100000000', 'b', '100000000'].map((arg) => Buffer.from(arg)) },
  })
  let failure: unknown
  for (let tries = 0; tries < TRIES; tries++) {
    await callUnary(devnet.client(first), DevopsService.deploy, spec)
    for (const deadline = performance.now() + ANSWERS_WITHIN_MS; performance.now() < deadline; await pause(50)) {
      try {
        await values(devnet, name, 'a')
        return
      } catch (error) {
        failure = error
      }
    }
  }
  throw new PeerError('ERR_BENCH_CHAINCODE', `the chaincode ${name} does not answer at every validator`, { cause: failure })
}
