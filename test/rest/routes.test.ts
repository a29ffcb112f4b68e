import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import * as z from 'zod'
import rest from '../../plugins/rest/index.js'
import { exchange } from '../http/http-peer.js'
import { type RestPeer, restPeer, rpc } from './rest-peer.js'

const call = async ({ base }: RestPeer, method: string, path: string, init: RequestInit = {}) => {
  const response = await fetch(base + path, { method, ...init })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

/** One request over a bare socket; fetch would change its path. */
const raw = (peer: RestPeer, line: string, headers = '') => exchange(peer.host, `${line} HTTP/1.1\r\nHost: x\r\n${headers}Connection: close\r\n\r\n`)

describe('routes', () => {
  it('match the decoded path, tolerate a slash at the end, and answer HEAD and OPTIONS', async () => {
    const peer = await restPeer()
    for (const path of ['/chain', '/chain/', '/ch%61in']) expect((await call(peer, 'GET', path)).status, path).toBe(200)
    expect(await raw(peer, 'GET /chain%2fblocks/0')).toMatch(/^HTTP\/1.1 200 /)
    expect(await raw(peer, 'GET /transactions/a%2Fb')).toContain('Openchain endpoint not found.')
    const head = await call(peer, 'HEAD', '/chain')
    expect([head.status, head.text, Number(head.headers.get('content-length')) > 100]).toEqual([200, '', true])
    const options = await call(peer, 'OPTIONS', '/registrar/u')
    expect([options.status, options.text, options.headers.get('allow'), options.headers.get('content-type')]).toEqual([
      200,
      '',
      'GET, DELETE',
      'application/json',
    ])
    expect((await call(peer, 'OPTIONS', '/nosuch')).status).toBe(404)
    for (const method of ['PUT', 'PATCH', 'DELETE']) expect((await call(peer, method, '/chain')).text).toBe('{"Error":"Openchain endpoint not found."}\n')
    for (const op of ['deploy', 'invoke', 'query']) expect((await call(peer, 'POST', `/devops/${op}`, { body: '{}' })).status).toBe(404)
  })

  it('answer wrong block numbers and transaction ids as the original', async () => {
    const peer = await restPeer()
    for (const id of ['+1', '1_0', '0x1', '%201', '1e1', '18446744073709551616', '9'.repeat(300)]) {
      expect((await call(peer, 'GET', `/chain/blocks/${id}`)).text, id).toBe('{"Error":"Block id must be an integer (uint64)."}\n')
    }
    expect((await call(peer, 'GET', '/chain/blocks/000')).status).toBe(200)
    expect((await call(peer, 'GET', '/chain/blocks/18446744073709551615')).text).toBe('{"Error":"openchain: resource not found"}\n')
    expect((await call(peer, 'GET', '/transactions/%3Cb%3E%22')).text).toBe('{"Error":"Transaction \\u003cb\\u003e\\" is not found."}\n')
  })

  it('take any content type, and refuse bodies beyond the bound', async () => {
    const peer = await restPeer({ 'http.limits.bodyBytes': 2048 })
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'nonsense']) {
      expect((await rpc(peer, { jsonrpc: '2.0', id: 1 }, { 'content-type': type })).text, type).toContain('Missing JSON RPC 2.0 method string.')
    }
    const large = await rpc(peer, ' '.repeat(4000))
    expect([large.status, JSON.parse(large.text)]).toMatchObject([413, { error: { code: -32603 }, id: null }])
  })
})

describe('web pages of other origins', () => {
  it('may neither read nor act unless the site says so', async () => {
    const peer = await restPeer()
    const read = await call(peer, 'GET', '/chain', { headers: { origin: 'https://evil.example' } })
    expect([read.status, read.headers.get('access-control-allow-origin')]).toEqual([200, null])
    const act = await rpc(peer, '{}', { origin: 'https://evil.example' })
    expect([act.status, act.text]).toEqual([403, expect.stringContaining('rest.cors.origins')])
    expect((await rpc(peer, '{"id":1}', { origin: peer.base })).status).toBe(400)
  })

  it('may not act by pointing a name of their own at this machine', async () => {
    const peer = await restPeer()
    const [, port = ''] = peer.host.split(':')
    const body = '{"id":1}'
    const ask = (host: string): Promise<string> =>
      exchange(
        peer.host,
        `POST /chaincode HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://${host}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      )
    expect(await ask(`rebound.example:${port}`)).toMatch(/^HTTP\/1.1 403 /)
    expect(await ask(`localhost:${port}`)).toMatch(/^HTTP\/1.1 400 /)
    expect(await ask(`[::1]:${port}`)).toMatch(/^HTTP\/1.1 400 /)
  })

  it('may where they are listed', async () => {
    const peer = await restPeer({ 'rest.cors.origins': 'https://dash.example,https://other.example' })
    const read = await call(peer, 'GET', '/nosuch', { headers: { origin: 'https://dash.example' } })
    expect(read.headers.get('access-control-allow-origin')).toBe('https://dash.example')
    expect(read.headers.get('vary')).toBe('Origin')
    expect((await rpc(peer, '{"id":1}', { origin: 'https://dash.example' })).status).toBe(400)
    expect((await rpc(peer, '{"id":1}', { origin: 'https://evil.example' })).status).toBe(403)
    const options = await call(peer, 'OPTIONS', '/chaincode', { headers: { origin: 'https://dash.example' } })
    expect(options.headers.get('access-control-allow-methods')).toBe('POST')
  })
})

describe('/registrar', () => {
  it('knows users by their token files and deletes what they left', async () => {
    const peer = await restPeer()
    mkdirSync(join(peer.directory, 'client'), { recursive: true })
    writeFileSync(join(peer.directory, 'client/loginToken_jim'), 'jim')
    mkdirSync(join(peer.directory, 'crypto/client/jim/ks'), { recursive: true })
    expect((await call(peer, 'GET', '/registrar/jim')).text).toBe('{"OK":"User jim is already logged in."}\n')
    expect((await call(peer, 'POST', '/registrar', { body: '{"enrollId":"jim","enrollSecret":"x"}' })).text).toBe('{"OK":"User jim is already logged in."}\n')
    expect((await call(peer, 'DELETE', '/registrar/jim')).text).toBe('{"OK":"Deleted login token and directory for user jim."}\n')
    expect(existsSync(join(peer.directory, 'client/loginToken_jim')) || existsSync(join(peer.directory, 'crypto/client/jim'))).toBe(false)
    expect((await call(peer, 'DELETE', '/registrar/jim')).text).toBe('{"OK":"User jim is not logged in."}\n')
    expect((await call(peer, 'GET', '/registrar/jim')).status).toBe(401)
  })

  it('never leaves its directory, whatever the pattern allows', async () => {
    const peer = await restPeer({ 'rest.validPatterns.enrollmentID': '.*' })
    writeFileSync(join(peer.directory, 'precious'), '')
    for (const id of ['..', '.', '%2e%2e', '..%5cprecious', 'a%00b', 'x'.repeat(300)]) {
      expect(await raw(peer, `DELETE /registrar/${id}`), id).toMatch(/^HTTP\/1.1 400 .*Invalid enrollment ID parameter/s)
    }
    for (const id of ['../../precious', '..%2f..%2fprecious']) expect(await raw(peer, `DELETE /registrar/${id}`), id).toMatch(/^HTTP\/1.1 404 /)
    const login = await call(peer, 'POST', '/registrar', { body: '{"enrollId":"../../precious","enrollSecret":"x"}' })
    expect([login.status, login.text]).toEqual([400, '{"Error":"Invalid enrollment ID parameter"}\n'])
    expect(readdirSync(peer.directory)).toContain('precious')
  })

  test.each([
    ['', 'Missing configuration key rest.validPatterns.enrollmentID'],
    ['(', 'rest.validPatterns.enrollmentID: Invalid regular expression'],
  ])('with the pattern %j answers 500', async (pattern, text) => {
    const peer = await restPeer({ 'rest.validPatterns.enrollmentID': pattern })
    const status = await call(peer, 'GET', '/registrar/jim')
    expect([status.status, status.text]).toEqual([500, expect.stringContaining(text)])
  })

  it('reads secrets strictly and checks counts before anything else', async () => {
    const peer = await restPeer()
    const post = async (body: string) => (await call(peer, 'POST', '/registrar', { body })).text
    expect(await post('{"enrollId":"u"')).toBe('{"Error":"unexpected EOF"}\n')
    expect(await post(' ')).toBe('{"Error":"EOF"}\n')
    expect(await post('{"EnrollId":"u"}')).toBe('{"Error":"unknown field \\"EnrollId\\" in protos.Secret"}\n')
    expect(await post('{"enrollId":1}')).toBe('{"Error":"json: cannot unmarshal number into Go value of type string"}\n')
    expect(await post('[]')).toBe('{"Error":"json: cannot unmarshal array into Go value of type map[string]json.RawMessage"}\n')
    expect(await post('{"enrollId":"u"} trailing')).toBe('{"Error":"enrollId and enrollSecret may not be blank."}\n')
    for (const count of ['-1', 'x', '', '4294967296', '1.5']) {
      expect((await call(peer, 'GET', `/registrar/u/tcert?count=${count}`)).text, count).toContain('Count query parameter must be a non-negative integer.')
    }
    expect((await call(peer, 'GET', '/registrar/u/tcert?count=4294967295')).text).toContain('Security functionality must be enabled')
  })

  it('does not fill the disk with what failed logins leave', async () => {
    const peer = await restPeer()
    const clients = join(peer.directory, 'crypto/client')
    for (let index = 0; index < 1000; index += 1) mkdirSync(join(clients, `u${index}`), { recursive: true })
    expect((await call(peer, 'POST', '/registrar', { body: '{"enrollId":"one_more","enrollSecret":"x"}' })).status).toBe(401)
    expect(readdirSync(clients)).toHaveLength(1000)
  })
})

describe('the document', () => {
  it('is OpenAPI 3.1 and names every route with the members that are read and answered', async () => {
    const peer = await restPeer()
    const { status, headers, text } = await call(peer, 'GET', '/openapi.json')
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json'])
    const document = z.object({ openapi: z.string(), paths: z.record(z.string(), z.record(z.string(), z.unknown())) }).parse(JSON.parse(text))
    expect(document.openapi).toBe('3.1.0')
    expect(
      Object.entries(document.paths)
        .map(([path, methods]) => `${path} ${Object.keys(methods).sort().join()}`)
        .sort(),
    ).toEqual([
      '/chain get',
      '/chain/blocks/{id} get',
      '/chaincode post',
      '/docs get',
      '/network/peers get',
      '/openapi.json get',
      '/registrar post',
      '/registrar/{id} delete,get',
      '/registrar/{id}/ecert get',
      '/registrar/{id}/tcert get',
      '/transactions/{id} get',
    ])
    const body = JSON.stringify(document.paths['/chaincode']?.['post'])
    for (const member of ['jsonrpc', 'method', 'chaincodeID', 'ctorMsg', 'confidentialityLevel', 'metadata', 'attributes'])
      expect(body).toContain(`"${member}"`)
    expect(JSON.stringify(document.paths['/chain/blocks/{id}'])).toContain('"localLedgerCommitTimestamp"')
  })

  it('is a page that may load nothing', async () => {
    const peer = await restPeer()
    const { headers, text } = await call(peer, 'GET', '/docs')
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/)
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(text).toContain('/chain/blocks/{id}')
    expect(text).not.toMatch(/<script|<img|<link|https?:\/\//)
  })
})

describe('the plugin', () => {
  it('says who can reach it', async () => {
    expect((await restPeer()).lines.join('')).toMatch(/REST on http:\/\/127\.0\.0\.1:\d+: for this machine only/)
    expect((await restPeer({ 'rest.address': '0.0.0.0:0' })).lines.join('')).toMatch(/WARN.* REST on http:\/\/0\.0\.0\.0:\d+ is open to the network/)
  })

  it('opens nothing when it is switched off, and can be replaced while the peer runs', async () => {
    expect((await restPeer({ 'rest.enabled': false })).host).toBe('')
    const peer = await restPeer()
    await peer.peer.replace('rest', rest)
    expect(peer.lines.filter((line) => line.includes('REST on'))).toHaveLength(2)
  })
})
