import { createHash } from 'node:crypto'

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 0 auto; padding: 1rem }
section { border-top: 1px solid #8886; padding: .5rem 0 }
h2 { font-size: 1.05rem; margin: .5rem 0 } h2 b { display: inline-block; min-width: 5rem }
code, pre { font: 13px/1.45 ui-monospace, monospace } pre { overflow: auto; padding: .5rem; background: #8881 }
table { border-collapse: collapse } td { padding: .1rem 1rem .1rem 0; vertical-align: top }`

/** A page and the policy that lets it load nothing: no script, no other file, only the style that is part of it. */
export function docsPage(document: object): { readonly html: string; readonly policy: string } {
  const title = `${textOf(document, 'info', 'title')} ${textOf(document, 'info', 'version')}`
  const sections = Object.entries(memberOf(document, 'paths')).flatMap(([path, operations]) =>
    isObject(operations) ? Object.entries(operations).map(([method, operation]) => section(path, method, isObject(operation) ? operation : {})) : [],
  )
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(title)}</title><style>${STYLE}</style></head>
<body><h1>${escape(title)}</h1>
<p>${escape(textOf(document, 'info', 'description'))} The same for programs: <a href="/openapi.json">/openapi.json</a>.</p>
${sections.join('\n')}
</body></html>
`
  const hash = createHash('sha256').update(STYLE).digest('base64')
  return { html, policy: `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'` }
}

function section(path: string, method: string, operation: Readonly<Record<string, unknown>>): string {
  const responses = Object.entries(memberOf(operation, 'responses'))
  const rows = responses.map(([status, response]) => `<tr><td><code>${escape(status)}</code></td><td>${escape(textOf(response, 'description'))}</td></tr>`)
  const parameters = Array.isArray(operation['parameters']) ? operation['parameters'] : []
  const given = parameters.map((parameter) => `<tr><td><code>${escape(textOf(parameter, 'name'))}</code></td><td>${escape(describe(parameter))}</td></tr>`)
  const body = operation['requestBody'] === undefined ? '' : details('Body', operation['requestBody'])
  const first = isObject(responses[0]?.[1]) ? details('Answer', memberOf(responses[0][1], 'content')) : ''
  return `<section><h2><b>${escape(method.toUpperCase())}</b> <code>${escape(path)}</code></h2>
<p>${escape(textOf(operation, 'summary'))}. ${escape(textOf(operation, 'description'))}</p>
${given.length > 0 ? `<table>${given.join('')}</table>` : ''}<table>${rows.join('')}</table>${body}${first}</section>`
}

function describe(parameter: unknown): string {
  return [`in ${textOf(parameter, 'in')}.`, textOf(parameter, 'description')].join(' ')
}

function details(name: string, value: unknown): string {
  return `<details><summary>${name}</summary><pre>${escape(JSON.stringify(value, undefined, 2))}</pre></details>`
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function memberOf(value: unknown, name: string): Readonly<Record<string, unknown>> {
  const member = isObject(value) ? value[name] : undefined
  return isObject(member) ? member : {}
}

function textOf(value: unknown, ...path: readonly string[]): string {
  let found: unknown = value
  for (const name of path) found = isObject(found) ? found[name] : undefined
  return typeof found === 'string' ? found : ''
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character)
}
