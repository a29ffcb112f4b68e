import { ChaincodeEvent, ChaincodeInvocationSpec, decode, Transaction, Transaction_Type } from '../../../proto/index.js'
import type { Change, OriginalLedger } from './ledger.js'

/** What the chaincode of the test does, on whatever kind of peer. */
export function runTestChaincode(
  args: readonly string[],
  get: (key: string) => Buffer | undefined,
  put: (key: string, value: Buffer | undefined) => void,
): void {
  const [fn, key = '', value = ''] = args
  if (fn === 'fail') {
    put('half', Buffer.from('written'))
    throw new Error('it fails')
  }
  if (fn === 'put') put(key, Buffer.from(value))
  if (fn === 'del') put(key, undefined)
  const calls = Number(get('calls')?.toString() ?? '0') + 1
  put('calls', Buffer.from(String(calls)))
}

/** Open batch of an original: transactions on the state of their predecessors (§6.2, §11). */
export class OriginalBatch {
  readonly succeeded: Uint8Array[] = []
  readonly events: ChaincodeEvent[] = []
  private readonly delta = new Map<string, Change>()

  constructor(private readonly ledger: OriginalLedger) {}

  get changes(): readonly Change[] {
    return [...this.delta.values()]
  }

  execute(bytes: Uint8Array): void {
    const own = new Map<string, Change>()
    const { type, payload, chaincodeID } = decode(Transaction, bytes)
    this.events.push(ChaincodeEvent.fromPartial({}))
    if (type !== Transaction_Type.CHAINCODE_INVOKE && type !== Transaction_Type.CHAINCODE_DEPLOY) return
    try {
      if (type === Transaction_Type.CHAINCODE_INVOKE) {
        const { chaincodeSpec } = decode(ChaincodeInvocationSpec, payload)
        const chaincode = chaincodeSpec?.chaincodeID?.name ?? Buffer.from(chaincodeID).toString('latin1')
        const args = chaincodeSpec?.ctorMsg?.args.map((arg) => Buffer.from(arg).toString('latin1')) ?? []
        runTestChaincode(
          args,
          (key) => this.read(own, chaincode, key),
          (key, value) => own.set(`${chaincode}\0${key}`, { chaincode, key, value, previous: this.ledger.state.get(`${chaincode}\0${key}`) }),
        )
      }
    } catch {
      return
    }
    for (const [composite, change] of own) this.delta.set(composite, { ...change, previous: this.delta.get(composite)?.previous ?? change.previous })
    this.succeeded.push(bytes)
  }

  private read(own: ReadonlyMap<string, Change>, chaincode: string, key: string): Buffer | undefined {
    const composite = `${chaincode}\0${key}`
    const change = own.get(composite) ?? this.delta.get(composite)
    return change ? change.value : this.ledger.state.get(composite)
  }
}
