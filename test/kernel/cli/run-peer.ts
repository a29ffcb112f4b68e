import { PassThrough, Writable } from 'node:stream'
import { runCli } from '../../../kernel/cli/run.js'
import { PACKAGED } from '../sites.js'

/** What one run of the program printed and returned. */
export interface Printed {
  readonly stdout: string
  readonly stderr: string
  readonly exit: number
}

class Collector extends Writable {
  text = ''
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

/** Runs the program in this process. */
export async function runPeer(cwd: string, argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Printed> {
  const stdout = new Collector()
  const stderr = new Collector()
  const stdin = new PassThrough()
  const exit = await runCli(argv, { packaged: PACKAGED, version: '1.2.3', cwd, env, stdin, stdout, stderr, colorDepth: 1 })
  return { stdout: stdout.text, stderr: stderr.text, exit }
}
