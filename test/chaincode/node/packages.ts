import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ChaincodeInput, encode } from '../../../proto/index.js'

/** A serialised constructor message. */
export const inputOf = (...args: string[]) => encode(ChaincodeInput, { args: args.map((arg) => Buffer.from(arg)) })

/** Writes a source file into a folder of its own, and takes it away after the work. */
export async function withSource<T>(source: string, work: (file: string) => Promise<T>, files: Readonly<Record<string, string>> = {}): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-chaincode-'))
  try {
    for (const [name, contents] of Object.entries(files)) await writeFile(join(folder, name), contents)
    await writeFile(join(folder, 'cc.ts'), source)
    return await work(join(folder, 'cc.ts'))
  } finally {
    await rm(folder, { recursive: true })
  }
}
