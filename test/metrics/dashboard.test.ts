import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exampleAlerts, exampleDashboard, groupedBy, selectorsOf } from './dashboard-queries.js'

const reference = readFileSync(join(import.meta.dirname, '../../docs/reference/metrics.md'), 'utf8')
/** The labels of each metric, as the reference has them, which another test compares with the registry. */
const known = new Map(
  [...reference.matchAll(/^\| `(peer_\w+)` \| (\w+) \| ([^|]*)\|/gm)].flatMap(([, name = '', type, labels = '']) => {
    const own = [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label)
    const all = (more: readonly string[]): readonly string[] => ['instance', 'job', ...own, ...more]
    if (type !== 'histogram') return [[name, all([])] as const]
    return [[`${name}_bucket`, all(['le'])] as const, [`${name}_sum`, all([])] as const, [`${name}_count`, all([])] as const]
  }),
)
const { panels, templating } = exampleDashboard()
const targets = panels.flatMap(({ title, targets: all }) => all.map((target) => ({ title, ...target })))

test('every query of the example dashboard names metrics and labels that exist', () => {
  expect(targets.length).toBeGreaterThan(30)
  for (const { title, expr } of targets) {
    const selectors = selectorsOf(expr)
    expect(selectors.length, title).toBeGreaterThan(0)
    for (const { metric, matchers } of selectors) {
      expect([...known.keys()], title).toContain(metric)
      const asked = [...matchers.map(({ label }) => label), ...(groupedBy(expr) ?? [])]
      expect(known.get(metric), `${title}: ${metric}`).toEqual(expect.arrayContaining(asked))
    }
  }
})

test('every legend shows labels that its query keeps', () => {
  for (const { title, expr, legendFormat } of targets) {
    const kept = groupedBy(expr) ?? selectorsOf(expr).flatMap(({ metric }) => known.get(metric) ?? [])
    const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label)
    expect(kept, `${title}: ${legendFormat}`).toEqual(expect.arrayContaining(shown))
  }
})

test('its panels have names of their own and do not lie upon each other, and its variables are there', () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  for (const { title, targets: all } of panels) expect(new Set(all.map(({ refId }) => refId)).size, title).toBe(all.length)
  const taken = new Map<string, string>()
  for (const { title, gridPos } of panels) {
    expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24)
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(taken.get(`${x},${y}`), title).toBe(undefined)
        taken.set(`${x},${y}`, title)
      }
    }
  }
  const variables = new Set(targets.flatMap(({ expr }) => [...expr.matchAll(/\$(\w+)/g)].map(([, name = '']) => name)))
  expect([...variables].filter((name) => !name.startsWith('__')).sort()).toEqual(['instance'])
  expect(templating.list.map(({ name }) => name)).toEqual(['datasource', 'instance'])
})

test('the example alerts name metrics and labels that exist', () => {
  const alerts = exampleAlerts()
  const selectors = [...alerts.matchAll(/expr: (.*)/g)].flatMap(([, expr = '']) => selectorsOf(expr))
  expect(selectors.length).toBeGreaterThan(3)
  for (const { metric, matchers } of selectors) expect(known.get(metric), metric).toEqual(expect.arrayContaining(matchers.map(({ label }) => label)))
  const rules = alerts.split('- alert: ').slice(1)
  for (const rule of rules) {
    const [, expr = ''] = /expr: (.*)/.exec(rule) ?? []
    const kept = selectorsOf(expr).flatMap(({ metric }) => known.get(metric) ?? [])
    const shown = [...rule.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label)
    expect(['instance', 'job', ...kept], rule).toEqual(expect.arrayContaining(shown))
  }
})
