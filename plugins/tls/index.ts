/**
 * TLS of every listener and client: its keys, its files, their reload.
 *
 * @packageDocumentation
 */
export { clientContext, serverContextOptions } from './context.js'
export { tlsKeys } from './keys.js'
export { type ClientTls, type TlsMaterial, type TlsSettings, loadClientTls } from './material.js'
export { default } from './plugin.js'
export { type TlsSource, type TlsSourceParts, createTlsSource } from './source.js'
export { TLS } from './token.js'
export { nameOf } from './validity.js'
