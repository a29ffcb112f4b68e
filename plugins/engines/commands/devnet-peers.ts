import { relative } from 'node:path'
import { PeerError } from '../../../kernel/index.js'
import type { Devnet } from '../../devnet/index.js'

/** The devnet that the other commands reach from a directory; undefined: there is none. */
export async function devnetAround(cwd: string): Promise<Devnet | undefined> {
  const { devnetDirectory, findDevnet } = await import('../../devnet/index.js')
  return findDevnet(devnetDirectory(cwd, undefined))
}

/** The same for `--all`. Throws ERR_DEVNET_NONE. */
export async function devnetFor(cwd: string): Promise<Devnet> {
  const found = await devnetAround(cwd)
  if (found) return found
  throw new PeerError('ERR_DEVNET_NONE', `--all is for the validators of a devnet; there is none in ${cwd} or above it`, {
    hint: 'make one with peer devnet up, or leave --all out: each peer of another network has its own engines, on its own machine',
  })
}

/** A directory as a person in another one writes it. */
export function placeOf(directory: string, cwd: string): string {
  const short = relative(cwd, directory)
  return short === '' ? '.' : short.startsWith('..') ? directory : short
}
