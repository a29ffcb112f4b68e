import { describe, expect, it } from 'vitest'
import { PeerError } from '../../kernel/errors.js'
import { createDevops } from '../../plugins/devops/devops.js'
import type { ChaincodeSupport } from '../../plugins/chaincode/support.js'
import type { Accepted, Consensus } from '../../plugins/consensus/consensus.js'
import { ChaincodeDeploymentSpec, ChaincodeID, ChaincodeInvocationSpec, ChaincodeSpec, Transaction, Transaction_Type, decode } from '../../proto/index.js'

const clock = { now: () => ({ seconds: 1n, nanos: 2 }), elapsedMs: () => 0, setTimer: () => () => undefined }

function setup(options: { valid?: boolean; query?: () => Promise<Uint8Array> } = {}) {
  const submitted: Transaction[] = []
  const accepted: Accepted = { id: 'id', duplicate: false, outcome: async () => ({ status: 'committed', block: 1n, index: 0 }) }
  const consensus: Consensus = {
    valid: options.valid ?? true,
    submit: async (bytes) => {
      submitted.push(decode(Transaction, bytes))
      return accepted
    },
    checkRoom: () => undefined,
    status: () => ({ engine: undefined, epoch: 0n, height: 0n, valid: true, pendingRequests: 0, halted: undefined, engineView: {} }),
  }
  const chaincode: ChaincodeSupport = {
    execute: async () => [],
    query: options.query ?? (async () => Buffer.from('42')),
    build: async (chaincodeSpec) => ChaincodeDeploymentSpec.fromPartial({ chaincodeSpec }),
    registerSystem: () => undefined,
    running: () => [],
  }
  return { devops: createDevops({ chaincode, consensus, clock }), submitted }
}

const invocation = (name: string, idGenerationAlg = '') =>
  ChaincodeInvocationSpec.fromPartial({
    chaincodeSpec: { chaincodeID: { name }, ctorMsg: { args: [Buffer.from('put'), Buffer.from('a'), Buffer.from('10')] } },
    idGenerationAlg,
  })

describe('devops', () => {
  it('submits an invoke with the fields of v0.6 and a random id', async () => {
    const { devops, submitted } = setup()
    const { txid } = await devops.invoke(invocation('mycc'))
    const [transaction] = submitted
    expect(transaction).toMatchObject({ type: Transaction_Type.CHAINCODE_INVOKE, txid, timestamp: { seconds: 1n, nanos: 2 }, nonce: new Uint8Array(0) })
    expect(decode(ChaincodeID, transaction?.chaincodeID ?? new Uint8Array(0)).name).toBe('mycc')
  })

  it('derives the id of an invoke that names an algorithm', async () => {
    const { devops } = setup()
    expect((await devops.invoke(invocation('mycc', 'SHA256'))).txid).toBe('73b88d92d86502eb66288f84fafae848fed0d21790f2ef1475850f4b635c47f0')
    await expect(devops.invoke(invocation('mycc', 'sha256base64'))).rejects.toThrow('Wrong ID generation algorithm was given: sha256base64')
  })

  it("submits a deploy under the chaincode's name", async () => {
    const { devops, submitted } = setup()
    await devops.deploy(ChaincodeSpec.fromPartial({ chaincodeID: { name: 'mycc' } }))
    expect(submitted[0]).toMatchObject({ type: Transaction_Type.CHAINCODE_DEPLOY, txid: 'mycc' })
  })

  it('refuses requests without the parts whose absence crashes the original', async () => {
    const { devops } = setup()
    await expect(devops.deploy(undefined)).rejects.toMatchObject({ grpcStatus: 3 })
    await expect(devops.deploy(ChaincodeSpec.fromPartial({}))).rejects.toMatchObject({ grpcStatus: 3 })
    await expect(devops.invoke(ChaincodeInvocationSpec.fromPartial({}))).rejects.toMatchObject({ grpcStatus: 3 })
    await expect(devops.query(ChaincodeInvocationSpec.fromPartial({ chaincodeSpec: {} }))).rejects.toMatchObject({ grpcStatus: 3 })
    await expect(devops.invoke(invocation(''))).rejects.toThrow('name not given for invoke/query')
  })

  it('answers a failing query with `Error:` and the reason', async () => {
    const { devops } = setup({ query: () => Promise.reject(new PeerError('ERR_TEST', 'Failed to launch chaincode spec(no such thing 100%d)')) })
    await expect(devops.query(invocation('mycc'))).rejects.toThrow(/^Error:Failed to launch chaincode spec\(no such thing 100%d\)$/)
  })

  it('refuses queries while the state is known to be behind', async () => {
    const { devops } = setup({ valid: false })
    await expect(devops.query(invocation('mycc'))).rejects.toThrow(/^Error: state may be inconsistent, cannot query$/)
  })
})
