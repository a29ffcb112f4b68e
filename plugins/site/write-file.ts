import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PeerError, messageOf } from '../../kernel/index.js'

/** Writes a file of a new site, whole or not at all, and the directories that lead to it. Throws ERR_SITE_WRITE naming the file. */
export async function writeSiteFile(file: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true })
    await writeWhole(file, text)
  } catch (cause) {
    throw new PeerError('ERR_SITE_WRITE', `cannot write ${file}: ${messageOf(cause)}`, { cause, hint: 'name a place where this user may write' })
  }
}

async function writeWhole(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}`
  try {
    await writeFile(draft, text)
    await rename(draft, file)
  } finally {
    await rm(draft, { force: true })
  }
}
