import { PeerError } from '../../../kernel/index.js'
import type { Ledger } from '../../ledger/index.js'
import type { Chaincode } from '../api/index.js'
import { example02 } from './example02.js'
import { createNoop } from './noop.js'

const NAMES = ['noop', 'example02'] as const

/**
 * The system chaincodes that a site enables (`chaincode.system`, spec/chaincode.md §15). Under v0.6 compatibility there is only `noop`:
 * originals have no `example02`.
 *
 * @throws PeerError ERR_CHAINCODE_SYSTEM for a name that does not exist
 */
export function enabledSystemChaincodes(
  whitelist: Readonly<Record<string, string>>,
  compatibility: 'weft' | 'v0.6',
  ledger: Pick<Ledger, 'transactionBytes'>,
): readonly { readonly name: string; readonly chaincode: Chaincode }[] {
  const enabled = Object.entries(whitelist).filter(([, word]) => ['enable', 'true', 'yes'].includes(word.toLowerCase()))
  const found: { name: string; chaincode: Chaincode }[] = []
  for (const [name] of enabled) {
    if (name === 'noop') found.push({ name, chaincode: createNoop(ledger) })
    else if (name !== 'example02') {
      throw new PeerError('ERR_CHAINCODE_SYSTEM', `chaincode.system.${name}: expected one of ${NAMES.join(', ')}, found ${name}`, {
        hint: 'take it out of chaincode.system',
      })
    } else if (compatibility === 'weft') found.push({ name, chaincode: example02 })
  }
  return found
}
