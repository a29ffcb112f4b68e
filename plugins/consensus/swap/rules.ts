import { PeerError, type Settings } from '../../../kernel/index.js'
import { hex } from '../../../proto/index.js'
import type { Ledger } from '../../ledger/index.js'
import type { CatalogEngine } from '../catalog.js'
import type { Member } from '../engine/engine.js'
import type { consensusKeys } from '../keys.js'
import type { ConsensusSigner } from '../session/signer.js'
import type { ContractRules } from './contract.js'
import { firstEpoch } from './first-epoch.js'
import type { SwapPolicy } from './policy.js'

export interface RulesParts {
  /** The engine of epoch 0. */
  readonly engine: CatalogEngine
  readonly members: readonly Member[]
  readonly policy: SwapPolicy
  readonly ledger: Pick<Ledger, 'height' | 'info' | 'block'>
  readonly signer?: ConsensusSigner
  readonly recovered?: ContractRules['recovered']
}

/** The rules of succession over a ledger. */
export function successionRules({ engine, members, policy, ledger, signer, recovered = () => undefined }: RulesParts): ContractRules {
  return {
    genesis: firstEpoch(engine, members),
    members,
    policy,
    height: () => ledger.height(),
    hashOf: (block) => hashOf(ledger, block),
    verify: signer && ((member, bytes, signature) => signer.verify(member, bytes, signature)),
    recovered,
  }
}

/** Hash of a block of a chain; undefined above the head, and for a block that is not stored. */
export function hashOf(ledger: Pick<Ledger, 'info' | 'block'>, block: bigint): Uint8Array | undefined {
  const { height, currentBlockHash } = ledger.info()
  if (block + 1n === height) return currentBlockHash
  return block + 1n > height ? undefined : ledger.block(block + 1n)?.previousBlockHash
}

/** Who may change the engine, as the site says, of the network that it says it belongs to. Throws ERR_CONSENSUS_POLICY for keys that are none, and for a threshold that cannot be reached. */
export function policyOf(
  settings: Pick<Settings<typeof consensusKeys>, 'consensus.policy' | 'consensus.operators.keys' | 'consensus.operators.threshold'>,
  network: string,
): SwapPolicy {
  if (settings['consensus.policy'] === 'doors') return { kind: 'doors' }
  const written = settings['consensus.operators.keys']
  const wrong = written.find((key) => !/^[0-9a-fA-F]{64}$/.test(key))
  if (wrong !== undefined)
    throw new PeerError('ERR_CONSENSUS_POLICY', `consensus.operators.keys: expected 64 hex digits (an Ed25519 public key), found '${wrong}'`)
  const keys = [...new Set(written.map((key) => key.toLowerCase()))]
  const threshold = settings['consensus.operators.threshold']
  if (keys.length < threshold) {
    throw new PeerError(
      'ERR_CONSENSUS_POLICY',
      `consensus.operators.threshold is ${threshold}, but consensus.operators.keys has ${keys.length} different keys`,
      {
        hint: 'list the public key of every operator, or lower the threshold',
      },
    )
  }
  return { kind: 'operators', network, keys: keys.map((key) => Buffer.from(key, 'hex')), threshold }
}

/** The same text for the same policy, for comparison between validators. */
export function policyText(policy: SwapPolicy): string {
  if (policy.kind === 'doors') return policy.kind
  return `${policy.threshold} of ${policy.keys
    .map((key) => hex(key))
    .sort()
    .join(' ')} in ${policy.network}`
}
