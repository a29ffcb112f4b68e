#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Cli } from 'clipanion'
import { runCli } from './run.js'

// The program is put together here: the built kernel, and beside it, found at run time, the packaged site with its plugins.
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const version = /"version": "([^"]*)"/.exec(readFileSync(at('../../../package.json'), 'utf8'))?.[1] ?? ''
process.stdout.on('error', ({ message: m }) => process.stdout.listenerCount('error') > 1 || process.exit(/EPIPE/.test(m) ? 0 : Number(process.stderr.write(m))))
process.exitCode = await runCli(process.argv.slice(2), { ...Cli.defaultContext, cwd: process.cwd(), version, packaged: at('../../peer.config.js') })
