import { buildSync } from 'esbuild'
import { spawn } from 'node:child_process'
import { join } from 'node:path'

// Inside the project, so that its packages are found from there.
const script = join(import.meta.dirname, '../../node_modules/.cache/weft-test', `run-peer-${process.pid}.mjs`)

/** Builds the program that {@link launch} runs; once a test file. */
export function buildProgram(): void {
  buildSync({ entryPoints: [join(import.meta.dirname, 'run-peer.ts')], bundle: true, packages: 'external', platform: 'node', format: 'esm', outfile: script })
}

/** A peer process that has printed `ready`, or has ended. */
export async function launch(directory: string, mode = '') {
  const child = spawn(process.execPath, [script, directory, mode])
  let output = ''
  const ended = new Promise<{ code: number | null; output: string }>((resolve) => child.on('close', (code) => resolve({ code, output })))
  const ready = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
        if (output.includes('ready\n')) resolve()
      })
    }
  })
  await Promise.race([ready, ended])
  return {
    child,
    ended,
    seen: async (text: string) => {
      while (!output.includes(text)) await new Promise((resolve) => child.stdout.once('data', resolve))
    },
  }
}
