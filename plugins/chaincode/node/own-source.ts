import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PeerError } from '../../../kernel/index.js'

/** File of one of Weft's own modules, given without extension relative to this folder: `.ts` in a checkout, `.js` once built. */
export function ownSource(module: string): string {
  const candidates = ['.ts', '.js'].map((extension) => fileURLToPath(new URL(module + extension, import.meta.url)))
  const found = candidates.find((file) => existsSync(file))
  if (found === undefined) throw new PeerError('ERR_CHAINCODE_LAUNCH', `Weft's own ${module} is missing: expected ${candidates.join(' or ')}`, { hint: 'reinstall weft' })
  return found
}
