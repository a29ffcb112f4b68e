import { messageOf } from '../../../kernel/index.js'
import { ChaincodeDeploymentSpec, ChaincodeDeploymentSpec_ExecutionEnvironment, ChaincodeSpec_Type, Transaction, decode } from '../../../proto/index.js'
import type { Ledger } from '../../ledger/index.js'
import { refusal } from './errors.js'
import { texts } from './texts.js'

/** What a deploy transaction says about a chaincode. */
export interface Deployment {
  readonly name: string
  /** `chaincodeID.path`; where the source was, for who builds it. */
  readonly path: string
  readonly type: number
  readonly args: readonly Uint8Array[]
  readonly isSystem: boolean
  readonly codePackage: Uint8Array
}

/** Reads the payload of a deploy transaction. Throws a PeerError that says what is missing. */
export function readDeployment(payload: Uint8Array): Deployment {
  const deployment = decode(ChaincodeDeploymentSpec, payload)
  const spec = deployment.chaincodeSpec
  if (spec === undefined) throw refusal('the deploy transaction has no chaincodeSpec')
  return {
    name: requireName(spec.chaincodeID?.name),
    path: spec.chaincodeID?.path ?? '',
    type: spec.type,
    args: spec.ctorMsg?.args ?? [],
    isSystem: deployment.execEnv === ChaincodeDeploymentSpec_ExecutionEnvironment.SYSTEM,
    codePackage: deployment.codePackage,
  }
}

/** A usable chaincode name: not empty, UTF-8, and without the byte that separates name and key in the state (spec/ledger.md §6.1). */
export function requireName(name: string | undefined): string {
  if (name === undefined || name === '') throw refusal(texts.nameNotSet)
  if (name.includes('\uFFFD')) throw refusal('a chaincode name must be UTF-8 text: names that are not would share one part of the state')
  if (name.includes('\0')) throw refusal('a chaincode name cannot contain the byte 00, which ends it in state keys')
  return name
}

/** A chaincode type as v0.6 prints it: its name, or its number. */
export function typeName(type: number): string {
  return ChaincodeSpec_Type[type] ?? String(type)
}

/** Finds the deployments of chaincodes: in the batch that is being executed, then in the ledger. */
export class Deployments {
  private batch: object | undefined
  private readonly inBatch = new Map<string, Deployment>()

  constructor(private readonly ledger: Pick<Ledger, 'transactionBytes' | 'deployBytes'>) {}

  /** From now on, deployments are remembered for this batch; those of another batch are forgotten: they are in the ledger, or rolled back. */
  enter(batch: object): void {
    if (this.batch === batch) return
    this.batch = batch
    this.inBatch.clear()
  }

  /** A deploy of the open batch succeeded. */
  remember(deployment: Deployment): void {
    this.inBatch.set(deployment.name, deployment)
  }

  /** Whether a deploy of that name succeeded in this batch, which is the one that executes or executed last. */
  isIn(batch: object, name: string): boolean {
    return this.batch === batch && this.inBatch.has(name)
  }

  /** Whether a deploy of that name is committed or succeeded earlier in the open batch: the same answer on every validator. */
  isDeployed(name: string): boolean {
    return this.inBatch.has(name) || this.ledger.deployBytes(name) !== undefined
  }

  /** Throws v0.6's text if there is no such deploy transaction (spec/chaincode.md §5.2 step 3). */
  find(name: string): Deployment {
    const remembered = this.inBatch.get(name)
    if (remembered !== undefined) return remembered
    const bytes = this.ledger.deployBytes(name)
    if (bytes === undefined) throw refusal(this.ledger.transactionBytes(name) === undefined ? texts.noDeployment(name) : texts.notADeployment(name))
    try {
      return readDeployment(decode(Transaction, bytes).payload)
    } catch (cause) {
      throw refusal(`deployment transaction of ${name} cannot be read: ${messageOf(cause)}`, { cause })
    }
  }
}
