import { compareBytes, utf8 } from '../../../plugins/chaincode/api/bytes.js'
import { emptyPutText } from '../../../plugins/chaincode/api/errors.js'
import type { Call, CallResult, CallState, ChaincodeRuntime } from '../../../plugins/chaincode/runtime.js'
import { ChaincodeInput, encode } from '../../../proto/index.js'

type Layer = Map<string, Uint8Array | undefined>
type Kind = Call['kind']

/** What a request to the {@link MemoryPeer} led to. */
export interface Executed extends CallResult {
  readonly text: string
  readonly committed: boolean
}

export interface Circumstances {
  readonly txid?: string
  readonly cert?: Uint8Array
  readonly metadata?: Uint8Array
  readonly binding?: Uint8Array
}

/** Executes calls of runtimes against state in memory with the rules of a peer: one delta a transaction, queries see committed state. */
export class MemoryPeer {
  readonly #runtimes = new Map<string, ChaincodeRuntime>()
  readonly #committed: Layer = new Map()
  #count = 0

  add(runtime: ChaincodeRuntime): this {
    this.#runtimes.set(runtime.name, runtime)
    return this
  }

  deploy(name: string, args: readonly (string | Uint8Array)[], circumstances: Circumstances = {}): Promise<Executed> {
    return this.#transaction(name, 'init', args, { txid: name, ...circumstances })
  }

  invoke(name: string, args: readonly (string | Uint8Array)[], circumstances: Circumstances = {}): Promise<Executed> {
    return this.#transaction(name, 'invoke', args, circumstances)
  }

  async query(name: string, args: readonly (string | Uint8Array)[], circumstances: Circumstances = {}): Promise<Executed> {
    return executed(await this.#call(name, 'query', args, undefined, circumstances), false)
  }

  /** Committed keys and values as text. */
  state(name: string): Record<string, string> {
    const prefix = `${name}\0`
    const entries = [...this.#committed]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), Buffer.from(value ?? []).toString()])
    return Object.fromEntries(entries.sort(([left = ''], [right = '']) => (left < right ? -1 : 1)))
  }

  async #transaction(name: string, kind: Kind, args: readonly (string | Uint8Array)[], circumstances: Circumstances): Promise<Executed> {
    const delta: Layer = new Map()
    const result = await this.#call(name, kind, args, delta, circumstances)
    for (const [key, value] of result.ok ? delta : []) {
      if (value === undefined) this.#committed.delete(key)
      else this.#committed.set(key, value)
    }
    return executed(result, result.ok)
  }

  #call(name: string, kind: Kind, texts: readonly (string | Uint8Array)[], delta: Layer | undefined, circumstances: Circumstances): Promise<CallResult> {
    const runtime = this.#runtimes.get(name)
    if (runtime === undefined) throw new Error(`handler not found for chaincode ${name}`)
    const args = texts.map((arg) => (typeof arg === 'string' ? utf8(arg) : arg))
    const input = encode(ChaincodeInput, { args })
    const txid = circumstances.txid ?? `t${(this.#count += 1)}`
    const empty = new Uint8Array()
    const nested = (nestedKind: Kind, layer: Layer | undefined) => (callee: string, calleeArgs: readonly Uint8Array[]) =>
      this.#call(callee, nestedKind, calleeArgs, layer, { txid })
    return runtime.call({
      kind,
      txid,
      args,
      input,
      state: this.#state(name, delta),
      securityContext: {
        callerCert: circumstances.cert ?? empty,
        callerSign: empty,
        payload: input,
        binding: circumstances.binding ?? empty,
        metadata: circumstances.metadata ?? empty,
        parentMetadata: empty,
        txTimestamp: { seconds: 1_450_000_000n, nanos: 5 },
      },
      invokeChaincode: nested('invoke', delta),
      queryChaincode: nested('query', undefined),
    })
  }

  #state(name: string, delta: Layer | undefined): CallState {
    const id = (key: Uint8Array) => `${name}\0${Buffer.from(key).toString('latin1')}`
    const layers = delta === undefined ? [this.#committed] : [delta, this.#committed]
    const writable = () => {
      if (delta === undefined) throw new Error('Cannot handle PUT_STATE in query context')
      return delta
    }
    const find = (key: string) => layers.find((layer) => layer.has(key))?.get(key)
    return {
      get: (key) => find(id(key)),
      put(key, value) {
        if (key.length === 0 || value.length === 0) throw new Error(emptyPutText(key, value))
        writable().set(id(key), value)
      },
      delete: (key) => void writable().set(id(key), undefined),
      async *range(start, end) {
        const prefix = `${name}\0`
        const keys = [...new Set(layers.flatMap((layer) => [...layer.keys()]))]
          .filter((key) => key.startsWith(prefix))
          .map((key) => Buffer.from(key.slice(prefix.length), 'latin1'))
          .filter((key) => compareBytes(key, start) >= 0 && (end.length === 0 || compareBytes(key, end) <= 0))
        for (const key of keys.sort((left, right) => bucketOf(name, left) - bucketOf(name, right) || compareBytes(left, right))) {
          const value = find(id(key))
          if (value !== undefined) yield { key, value }
        }
      },
    }
  }
}

function executed(result: CallResult, committed: boolean): Executed {
  return { ...result, text: Buffer.from(result.payload).toString(), committed }
}

/** The ledger's order of committed keys (spec/chaincode.md §7). */
function bucketOf(name: string, key: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of [...utf8(`${name}\0`), ...key]) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash % 1_000_003
}
