import { DoctorCheck, type Finding, type Patient, checkUsage } from '../doctor/index.js'
import { externalKeys } from './external/keys.js'
import { chaincodeKeys, compatibilityKeys } from './keys.js'

/** `peer doctor sandbox`: whether chaincode that is deployed can be contained on this machine. */
export class SandboxCheck extends DoctorCheck {
  static override paths = [['doctor', 'sandbox']]
  static override usage = checkUsage('sandbox', 'whether deployed chaincode can be contained on this machine')

  async examine({ settings }: Patient): Promise<readonly Finding[]> {
    const values = settings({ ...chaincodeKeys, ...externalKeys, ...compatibilityKeys })
    if (values['peer.validator.compatibility'] === 'v0.6' && values['chaincode.launcher'] !== 'process')
      return [
        { level: 'ok', found: 'not needed: peer.validator.compatibility is v0.6, there is no TypeScript chaincode, and chaincode.launcher is not process' },
      ]
    if (values['chaincode.mode'] === 'dev') return [{ level: 'ok', found: 'not needed: chaincode.mode is dev, chaincodes are started by hand' }]
    const wanted = values['chaincode.sandbox']
    if (wanted === 'none') {
      return [
        {
          level: 'warning',
          found: 'chaincode.sandbox is none: deployed code may do whatever this peer may do',
          todo: 'set chaincode.sandbox to auto and install bubblewrap',
        },
      ]
    }
    const { chooseSandbox } = await import('../sandbox/index.js')
    // Throws what the first deploy would throw, with what to install.
    const kind = await chooseSandbox(wanted, { memoryBytes: values['chaincode.memory'] * 1024 * 1024 })
    return [{ level: 'ok', found: `${kind} contains deployed chaincode: no files, network or other processes in reach` }]
  }
}
