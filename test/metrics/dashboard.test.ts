import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const read = (path: string): string => readFileSync(join(import.meta.dirname, '../..', path), 'utf8')
const rows = [...read('docs/reference/metrics.md').matchAll(/^\| `(peer_\w+)` \| (\w+) \|/gm)]
const known = new Set(rows.flatMap(([, name = '', type]) => (type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name])))

test('every query of the example dashboard names metrics that exist', () => {
  const dashboard: unknown = JSON.parse(read('examples/grafana/weft-peer.json'))
  const used = [...JSON.stringify(dashboard).matchAll(/peer_[a-z0-9_]+/g)].map(([name]) => name)
  expect(used.length).toBeGreaterThan(15)
  expect(used.filter((name) => !known.has(name))).toEqual([])
})

test('the example alerts do, too', () => {
  const used = [...read('examples/grafana/alerts.yaml').matchAll(/peer_[a-z0-9_]+/g)].map(([name]) => name)
  expect(used.length).toBeGreaterThan(3)
  expect(used.filter((name) => !known.has(name))).toEqual([])
})
