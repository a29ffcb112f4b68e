import { printable } from '../terminal/index.js'
import type { Examined } from './finding.js'

/** One line a finding, and below it what to do. */
export function findingLines(all: readonly Examined[]): string[] {
  const width = Math.max(...all.map(({ check }) => check.length))
  return all.flatMap(({ check, findings, skipped }) => [
    ...findings.flatMap(({ level, found, todo }) => [
      `${level.padEnd(7)}   ${check.padEnd(width)}   ${indented(found)}`,
      ...(todo === undefined ? [] : [`${' '.repeat(10)}${' '.repeat(width)}     -> ${indented(todo)}`]),
    ]),
    ...(skipped === undefined ? [] : [`${'skipped'.padEnd(7)}   ${check.padEnd(width)}   ${indented(skipped)}`]),
  ])
}

/** The sum of all, in one line. */
export function summary(all: readonly Examined[]): string {
  const count = (level: string): number => all.reduce((sum, { findings }) => sum + findings.filter((finding) => finding.level === level).length, 0)
  const skipped = all.filter((examined) => examined.skipped !== undefined).length
  const counts = [
    `${count('ok')} ok`,
    counted(count('warning'), 'warning'),
    counted(count('failure'), 'failure'),
    ...(skipped > 0 ? [`${skipped} checks skipped`] : []),
  ]
  return counts.join(', ')
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => printable(line))
    .join('\n          ')
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
