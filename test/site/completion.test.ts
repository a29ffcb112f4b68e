import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { candidates, completionScript } from '../../plugins/site/completion.js'

const option = (name: string) => ({ preferredName: name, nameSet: [name], definition: name, required: false })
const table = candidates([
  { path: 'peer node start', options: [option('--set'), option('--config')] },
  { path: 'peer node stop', options: [] },
  { path: 'peer version', options: [{ ...option('--json'), nameSet: ['-j', '--json'] }] },
])

test('after each beginning of a command come its next words and flags', () => {
  expect(Object.fromEntries(table)).toEqual({
    '': ['--help', '--version', 'node', 'version'],
    node: ['start', 'stop'],
    'node start': ['--config', '--help', '--set'],
    'node stop': ['--help'],
    version: ['--help', '--json'],
  })
})

const complete = (...words: string[]): string[] => {
  const quoted = words.map((word) => `'${word}'`).join(' ')
  const program = `${completionScript('bash', table)}\nCOMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _peer_complete; echo "\${COMPREPLY[@]}"`
  const { stdout, stderr } = spawnSync('bash', ['-c', program], { encoding: 'utf8' })
  expect(stderr).toBe('')
  return stdout
    .trim()
    .split(' ')
    .filter((word) => word !== '')
}

test('bash completes commands and flags', () => {
  expect(complete('peer', '')).toEqual(['--help', '--version', 'node', 'version'])
  expect(complete('peer', 'no')).toEqual(['node'])
  expect(complete('peer', 'node', 'st')).toEqual(['start', 'stop'])
  expect(complete('peer', 'node', 'start', '--set', 'a=b', '--c')).toEqual(['--config'])
  expect(complete('peer', 'bogus', 'x')).toEqual([])
})

test('zsh and fish scripts name every command', () => {
  expect(completionScript('zsh', table)).toMatch(/^#compdef peer\n/)
  expect(completionScript('fish', table)).toContain(`complete -c peer -n '__peer_line_is node' -f -a 'start'`)
  expect(completionScript('fish', table)).toContain(`complete -c peer -n '__peer_line_is node start' -l set`)
})
