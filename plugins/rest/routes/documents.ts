import type { FastifyInstance } from 'fastify'
import { docsPage } from '../docs-page.js'

/** GET /openapi.json and, for people, /docs: both from the schemas that the routes were declared with. */
export function documentRoutes(app: FastifyInstance): void {
  app.get('/openapi.json', { schema: { summary: 'This document', response: { 200: json } } }, async (_request, reply) =>
    reply.send(Buffer.from(`${JSON.stringify(app.swagger())}\n`)),
  )
  app.get('/docs', { schema: { summary: 'This document as a page', response: { 200: page } } }, async (_request, reply) => {
    const { html, policy } = docsPage(app.swagger())
    return reply
      .header('Content-Type', 'text/html; charset=utf-8')
      .header('Content-Security-Policy', policy)
      .header('X-Content-Type-Options', 'nosniff')
      .send(html)
  })
}

const json = { description: 'OpenAPI 3.1', content: { 'application/json': { schema: { type: 'object' } } } }
const page = { description: 'HTML', content: { 'text/html': { schema: { type: 'string' } } } }
