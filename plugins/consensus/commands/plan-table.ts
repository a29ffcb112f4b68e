import type { SwapPlanMessage, SwapPlanRow, SwapProposal } from '../../../proto/index.js'

const HEADINGS = ['validator', 'engine', 'version', 'code', 'epoch', 'height', 'takes part'] as const

/** A pre-flight as a table: who has which engine, at which version and digest, and who refuses; why is the error's to say. */
export function planLines({ rows, needed }: SwapPlanMessage, { engine, version, fromEpoch, options }: SwapProposal): string[] {
  const cells = [[...HEADINGS], ...rows.map(cellsOf)]
  const widths = HEADINGS.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  return [
    `from epoch ${fromEpoch} to ${engine} ${version} with options ${options}; needed: ${needed} of ${rows.length} validators, and every one that is up`,
    ...cells.map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    ),
  ]
}

function cellsOf({ id, answered, engine, version, codeDigest, refusal, isolated, epoch, height }: SwapPlanRow): string[] {
  if (!answered) return [id, '-', '-', '-', '-', '-', 'no answer']
  const code = codeDigest === '' ? "the site's" : `${codeDigest.slice(0, 12)}${isolated ? ', isolated' : ''}`
  const part = refusal === '' ? 'yes' : 'no'
  return [id, engine === '' ? 'none' : engine, version === '' ? '-' : version, engine === '' ? '-' : code, String(epoch), String(height), part]
}
