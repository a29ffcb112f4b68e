#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Cli } from 'clipanion'
import { runCli } from './run.js'

// The program is put together here: the built kernel, and beside it, found at run time, the packaged site with its plugins.
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const version = /"version": "([^"]*)"/.exec(readFileSync(at('../../../package.json'), 'utf8'))?.[1] ?? ''
// As `head` and other readers expect of what they have read enough of: no word, exit code 0. A command that listens itself sees to it.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (process.stdout.listenerCount('error') > 1) return
  if (error.code !== 'EPIPE') process.stderr.write(`Error: stdout cannot be written: ${error.message}\n`)
  process.exit(error.code === 'EPIPE' ? 0 : 1)
})
const cwd = await (async () => process.cwd())().catch(() => '') // which runCli has a word for
process.exitCode = await runCli(process.argv.slice(2), { ...Cli.defaultContext, cwd, version, packaged: at('../../peer.config.js') })
