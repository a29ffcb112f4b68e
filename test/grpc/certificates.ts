import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { temporaryDirectory } from '../kernel/sites.js'

/** Files of a certificate and its key. */
export interface Certificate {
  readonly certificate: string
  readonly key: string
}

/** Makes a certificate that signs itself, for one name such as `DNS:vp0`. */
export function certificateFor(name: string): Certificate {
  const directory = temporaryDirectory()
  const files = { certificate: join(directory, 'peer.pem'), key: join(directory, 'peer.key') }
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=weft', '-addext', `subjectAltName=${name}`]
  execFileSync('openssl', ['req', '-x509', ...kind, '-keyout', files.key, '-out', files.certificate], { stdio: 'pipe' })
  return files
}
