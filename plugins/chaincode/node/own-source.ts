import { join, normalize } from 'node:path'
import { PeerError } from '../../../kernel/index.js'
import { ownPackage } from '../../loader/index.js'

const FOLDER = 'plugins/chaincode/node'

/**
 * File of one of Weft's own modules, given without extension relative to this folder: the source in a checkout, its output once built.
 * A build that splits code moves this very module, so its own location says nothing.
 */
export function ownSource(module: string): string {
  const own = ownPackage()
  const source = join(own.root, normalize(join(FOLDER, `${module}.ts`)))
  const found = own.running(source)
  if (found === undefined) throw new PeerError('ERR_CHAINCODE_LAUNCH', `Weft's own ${module} is missing, built from ${source}`, { hint: 'reinstall weft' })
  return found
}
