/**
 * HTTP listeners that plugins declare by name. Loads nothing heavy before one is opened.
 *
 * @packageDocumentation
 */
export { HTTP, type HttpListener, type HttpListenerOptions, type HttpListeners, type HttpRoutes } from './listeners.js'
export { httpKeys } from './keys.js'
export { default } from './plugin.js'
export { HTTP_TRAFFIC, type HttpCount, type HttpTraffic } from './traffic.js'
