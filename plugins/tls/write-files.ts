import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PeerError, messageOf } from '../../kernel/index.js'

/** What `peer tls init` writes. */
export const NEW_FILES = ['ca.pem', 'ca.key', 'server.pem', 'server.key', 'client.pem', 'client.key'] as const

/** Throws ERR_TLS_EXISTS naming the files that are there. */
export function refuseOverwriting(directory: string, names: readonly string[]): void {
  const there = names.filter((name) => existsSync(join(directory, name)))
  if (there.length === 0) return
  throw new PeerError('ERR_TLS_EXISTS', `${directory} has ${there.join(', ')} already`, { hint: 'use --force to overwrite, or --dir for another directory' })
}

/** Writes `<name>.key`, for this user alone, and `<name>.pem`; each is there whole or not at all. Throws ERR_TLS_WRITE. */
export async function writeIdentity(
  directory: string,
  name: string,
  { certificate, key }: { readonly certificate: string; readonly key?: string },
): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o755 })
    if (key !== undefined) await writeWhole(join(directory, `${name}.key`), key, 0o600)
    await writeWhole(join(directory, `${name}.pem`), certificate, 0o644)
  } catch (cause) {
    throw new PeerError('ERR_TLS_WRITE', `cannot write the files of ${name} in ${directory}: ${messageOf(cause)}`, {
      cause,
      hint: 'name a directory where this user may write',
    })
  }
}

async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  const draft = `${file}.${randomUUID()}`
  try {
    await writeFile(draft, text, { mode, flag: 'wx' })
    await rename(draft, file)
  } finally {
    await rm(draft, { force: true })
  }
}
