import { join } from 'node:path'
import { PeerError } from '../../kernel/index.js'
import { ownPackage } from '../loader/index.js'

/**
 * File of one of Weft's own modules, given without extension relative to the root of the sources (`plugins/chaincode/node/guest/serve`): the source in a
 * checkout, its output once built. A build that splits code moves modules, so a module's own location says nothing.
 *
 * @throws PeerError ERR_SANDBOX_LAUNCH if it is missing
 */
export function ownSource(module: string): string {
  const own = ownPackage()
  const source = join(own.root, `${module}.ts`)
  const found = own.running(source)
  if (found === undefined) throw new PeerError('ERR_SANDBOX_LAUNCH', `Weft's own ${module} is missing, built from ${source}`, { hint: 'reinstall weft' })
  return found
}
