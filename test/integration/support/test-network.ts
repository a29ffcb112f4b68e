import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestPeer, until } from './peer.js'

/** Validators of one test, and what is done to all networks alike. */
export class TestNetwork {
  protected constructor(readonly peers: readonly TestPeer[]) {}

  peer(index: number): TestPeer {
    const peer = this.peers[index]
    if (!peer) throw new RangeError(`no peer ${index}`)
    return peer
  }

  /** Deletes everything that a dead peer stored. */
  wipe(index: number): void {
    rmSync(this.peer(index).data, { recursive: true, force: true })
  }

  /** Waits until all have one head. */
  async inStep(limitMs: number): Promise<void> {
    let heads: string[] = []
    const look = async (): Promise<boolean> => {
      heads = await Promise.all(
        this.peers.map(async ({ client }) => {
          const { height, currentBlockHash } = await client.info()
          return `${height} ${Buffer.from(currentBlockHash).toString('hex', 0, 8)}`
        }),
      )
      return new Set(heads).size === 1
    }
    await until('all are in step', look, limitMs).catch((cause: unknown) => {
      throw new Error(`expected all in step within ${limitMs} ms; found ${heads.join(', ')}`, { cause })
    })
  }

  /** Writes what the peers logged in their present lives; returns the directory. */
  protected writeLogs(directory: string): string {
    mkdirSync(directory, { recursive: true })
    for (const [index, peer] of this.peers.entries()) writeFileSync(join(directory, `vp${index}.log`), peer.program.stderr)
    return directory
  }
}
