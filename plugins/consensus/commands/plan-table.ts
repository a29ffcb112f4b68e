import type { SwapPlanMessage, SwapPlanRow, SwapProposal } from '../../../proto/index.js'
import { printable, table } from '../../terminal/index.js'

/** Of the terminal, in characters, if there is one. */
const WIDTH = process.stdout.columns || 120
const HEADINGS = ['validator', 'engine', 'version', 'code', 'epoch', 'height', 'takes part'] as const

/** A pre-flight as a table: who has which engine, at which version and digest, and who refuses; why is the error's to say. */
export function planLines({ rows, needed }: SwapPlanMessage, proposal: SwapProposal): string[] {
  const { engine, version, fromEpoch, options } = proposal
  const change = `from epoch ${fromEpoch} to ${engine} ${version}`
  const need = `needed: ${needed} of ${rows.length} validators, and every one that is up`
  const heading = `${change} with options ${options}; ${need}`
  const lines = heading.length <= WIDTH ? [heading] : [`${change}; ${need}`, ...optionLines(options)]
  return [...lines.map((line) => printable(line)), ...table([HEADINGS, ...rows.map((row) => cellsOf(row, proposal))])]
}

/** What is said with its options, which get lines of their own if they are too many for one. */
export function withOptions(said: string, options: string): string[] {
  const whole = `${said}, options ${options}`
  const lines = whole.length <= WIDTH ? [whole] : [said, ...optionLines(options).map((line) => `  ${line}`)]
  return lines.map((line) => printable(line))
}

/** Options that are too many for one line, each whole. */
function optionLines(options: string): string[] {
  const lines: string[] = []
  let line = 'options'
  for (const [name, value] of Object.entries<unknown>(JSON.parse(options))) {
    const pair = `${JSON.stringify(name)}:${JSON.stringify(value)}`
    if (line.length + pair.length + 3 > WIDTH) {
      lines.push(line)
      line = ' '.repeat('options'.length)
    }
    line += ` ${pair}`
  }
  return [...lines, line]
}

function cellsOf({ id, answered, engine, version, codeDigest, refusal, isolated, epoch, height, halted }: SwapPlanRow, proposal: SwapProposal): string[] {
  if (!answered) return [id, '-', '-', '-', '-', '-', 'no answer']
  const code = codeDigest === '' ? "the site's" : `${codeDigest.slice(0, 12)}${isolated ? ', isolated' : ''}`
  const isSame = version === proposal.version && codeDigest === proposal.codeDigest && epoch === proposal.fromEpoch
  const part = refusal !== '' || !isSame ? 'no' : halted === '' ? 'yes' : 'not now: it orders nothing'
  return [id, engine === '' ? 'none' : engine, version === '' ? '-' : version, engine === '' ? '-' : code, String(epoch), String(height), part]
}
