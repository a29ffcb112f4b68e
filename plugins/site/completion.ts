import type { Definition } from 'clipanion'

/** What can follow a line of words: by the words so far, joined by spaces (`''` after `peer` alone). */
export type Candidates = ReadonlyMap<string, readonly string[]>

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** The next words and flags after each beginning of a command, from the program's own definitions. */
export function candidates(definitions: readonly Pick<Definition, 'path' | 'options'>[]): Candidates {
  const found = new Map<string, Set<string>>()
  const add = (line: string, word: string): void => void (found.get(line) ?? found.set(line, new Set()).get(line))?.add(word)
  for (const { path, options } of definitions) {
    const [, ...words] = path.split(' ')
    words.forEach((word, index) => add(words.slice(0, index).join(' '), word))
    for (const { nameSet } of options) for (const name of nameSet.filter((flag) => flag.startsWith('--'))) add(words.join(' '), name)
    add(words.join(' '), '--help')
  }
  for (const flag of ['--help', '--version']) add('', flag)
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([line, words]) => [line, [...words].sort()]))
}

/** A completion script. Words that are no option and no subcommand complete as files. */
export function completionScript(shell: Shell, table: Candidates): string {
  if (shell === 'fish') return fish(table)
  return shell === 'bash' ? bash(table) : `#compdef peer\nautoload -U +X bashcompinit && bashcompinit\n${bash(table)}`
}

function bash(table: Candidates): string {
  const cases = [...table].map(([line, words]) => `    ${quote(line)}) words=${quote(words.join(' '))} ;;`)
  return `# peer completion: eval "$(peer completion bash)"
_peer_words() {
  local words=''
  case "$1" in
${cases.join('\n')}
    *) return 1 ;;
  esac
  printf '%s' "$words"
}
_peer_complete() {
  local line='' word i found words
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "$word" in -*) continue ;; esac
    found="\${line:+$line }$word"
    _peer_words "$found" > /dev/null && line="$found"
  done
  words="$(_peer_words "$line")"
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _peer_complete peer
`
}

function fish(table: Candidates): string {
  const rules = [...table].flatMap(([line, words]) => {
    const condition = quote(`__peer_line_is ${line}`.trim())
    return words.map((word) =>
      word.startsWith('--') ? `complete -c peer -n ${condition} -l ${word.slice(2)}` : `complete -c peer -n ${condition} -f -a ${quote(word)}`,
    )
  })
  return `# peer completion: peer completion fish | source
function __peer_line_is
  set -l words (commandline -opc | string match -v -- '-*')
  test "$words[2..-1]" = "$argv"
end
${rules.join('\n')}
`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
