import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type IssuedPem, issue, makeAuthority } from '../../plugins/tls/authority.js'
import { temporaryDirectory } from '../kernel/sites.js'

const DAY_MS = 86_400_000

/** Files of a certificate and its key. */
export interface Files {
  readonly cert: string
  readonly key: string
}

/** An authority that writes what it issues into a directory of its own. */
export class TestAuthority {
  private constructor(
    readonly pem: IssuedPem,
    readonly directory: string,
  ) {}

  static async make(name = 'test authority', now = Date.now()): Promise<TestAuthority> {
    const authority = new TestAuthority(await makeAuthority(name, 3650, now), temporaryDirectory())
    writeFileSync(authority.file, authority.pem.certificate)
    return authority
  }

  /** Its own certificate. */
  get file(): string {
    return join(this.directory, 'ca.pem')
  }

  issuePem(use: 'server' | 'client', commonName = 'localhost', { days = 100, now = Date.now() } = {}): Promise<IssuedPem> {
    const names = use === 'server' ? { hosts: [commonName], addresses: ['127.0.0.1'] } : { hosts: [], addresses: [] }
    return issue(this.pem, { commonName, use, days, ...names }, now)
  }

  async issue(use: 'server' | 'client', commonName?: string, life?: { days?: number; now?: number }): Promise<Files> {
    return writePair(temporaryDirectory(), await this.issuePem(use, commonName, life))
  }
}

export function writePair(directory: string, pem: IssuedPem): Files {
  const files = { cert: join(directory, 'tls.pem'), key: join(directory, 'tls.key') }
  writeFileSync(files.cert, pem.certificate)
  writeFileSync(files.key, pem.key)
  chmodSync(files.key, 0o600)
  return files
}

/** Of a life of a hundred days, a moment so many days after its beginning. */
export function daysFrom(start: number, days: number): number {
  return start + days * DAY_MS
}
